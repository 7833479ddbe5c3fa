"""GraphiQL's tabs about bilans, their documents and their quality."""

BILANS = """# Bilans: who pays how much, how far they are, and what breaks a rule of law. What is due of the one that
# waits is paid by bilanCheckoutStart(input: { bilan: "…", successUrl: "…" }), and then its sessions can be booked.
query Bilans {
  bilans {
    nodes {
      id beneficiaryName status price { formatted } due { formatted } minutesPlanned minutesDone
      fundings { source status amount { formatted } reference }
      phases { kind completedAt }
      agreements { kind status acceptBy decidedOn }
      sessions { nodes { id startsAt endsAt attendance minutes phase { kind } } }
      warnings { id rule message reference decidedAt decisionReason }
    }
  }
}"""

SESSION = """# Something that was held of a bilan that is funded (tab Bilans). Then note who came, by its id:
# bilanSessionAttend(input: { bilanSession: "…", attendance: ATTENDED }), and bilanPhaseComplete when a phase is over.
mutation Session($bilan: ID!, $phase: PhaseKind!, $startsAt: DateTime!, $endsAt: DateTime!) {
  bilanSessionRecord(input: { bilan: $bilan, phase: $phase, startsAt: $startsAt, endsAt: $endsAt }) {
    bilanSession { id startsAt attendance phase { kind } }
  }
}"""

DOCUMENTS = """# What bilans are held with and end in, who opened it or was refused, and what was destroyed.
# More: uploadCreate(input: { purpose: DOCUMENT, … }), PUT the file to its url, documentAdd.
query Documents {
  documents { nodes { id kind name destroyedAt bilan { beneficiaryName } shares { recipientName expiresAt } } }
  documentAccesses { nodes { createdAt granted reason requester document { kind } } }
  destructionRecords { nodes { kind reason destroyedAt deletedAt sha256 } }
}"""

OPEN = """# A synthesis is for its beneficiary alone: run it as the owner, then sign in as beneficiary@demo.test.
# Either is kept (tab Documents). The url is good for five minutes.
mutation Open($document: ID!) {
  documentOpen(input: { document: $document }) {
    ... on DocumentOpened { url expiresAt }
    ... on DocumentRefused { reason }
  }
}"""

QUALITY = """# Qualiopi at a glance: what shows each indicator, what beneficiaries say, what is missing of which bilan.
query Quality($from: Date!, $to: Date!) {
  quality(startsOn: $from, endsOn: $to) {
    bilans completed minutes attended absent asked answered satisfaction objectives accompaniment recommends
    indicators { number title(language: FR) added records missing latestOn }
    gaps { bilan beneficiaryName missing }
  }
  surveys { nodes { kind sentAt answeredAt satisfaction recommends comment bilan { beneficiaryName } } }
  qualityProofs { nodes { indicator kind title happenedOn bilan { beneficiaryName } document { name } } }
}"""

PROOF = """# What shows that an indicator is met: of the organization, or of a bilan with a document of it.
mutation Proof($indicator: Int!, $title: String!, $happenedOn: Date!) {
  qualityProofAdd(input: { indicator: $indicator, kind: MEETING, title: $title, happenedOn: $happenedOn }) {
    qualityProof { id indicator title addedBy { user { firstName } } }
  }
}"""

AUDITOR = """# A worker makes the ZIP that an auditor is given. qualityExports { nodes { percent url } } shows how far.
mutation Auditor($from: Date!, $to: Date!) {
  qualityExportCreate(input: { startsOn: $from, endsOn: $to }) {
    qualityExport { id status percent url }
  }
}"""
