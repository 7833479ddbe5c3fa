// What a letter's link asks to confirm. Its token stands behind the `#`, which no server is sent. And where people come
// back to from another service (OAuth 2.0), with a code that is good once, in the session that asked for it.
const WORDS = {
  registration: {
    title: "Ouvrir votre compte", text: "Choisissez un mot de passe : votre compte sera ouvert aussitôt.",
    english: "Choose a password: your account opens at once.", button: "Ouvrir mon compte", secret: true,
    done: ["Votre compte est ouvert", "Vous pouvez vous connecter.", "Your account is open. You can sign in."],
    document: "{{ documents.registration }}",
  },
  invitation: {
    title: "Rejoindre l’équipe", text: "", english: "", button: "Accepter l’invitation",
    done: ["Vous avez rejoint l’équipe", "Vous pouvez vous connecter.", "You have joined. You can sign in."],
    document: "{{ documents.invitation }}",
  },
  password: {
    title: "Choisir un nouveau mot de passe", text: "Tous vos appareils seront déconnectés.",
    english: "All your devices will be signed out.", button: "Changer le mot de passe", secret: true,
    done: ["Votre mot de passe est changé", "Connectez-vous avec le nouveau.", "Sign in with the new one."],
    document: "{{ documents.password }}",
  },
  email: {
    title: "Confirmer votre nouvelle adresse", text: "Elle prendra la place de l’ancienne.",
    english: "It will take the place of the old one.", button: "Confirmer cette adresse",
    done: ["Votre adresse est changée", "Connectez-vous avec la nouvelle.", "Sign in with the new one."],
    document: "{{ documents.email }}",
  },
};
const CONSENT = "{{ documents.consent }}";
const CONNECTED = ["C’est connecté", "Vous pouvez fermer cette page.", "Connected. You may close this page."];
const DENIED = ["L’accès n’a pas été donné", "Recommencez quand vous voulez.", "Access was not given. Begin again when you like."];
const ELSEWHERE = ["Presque connecté", "Pour finir, donnez ceci à oauthFinish, là où vous êtes connecté :",
  "To finish, give this to oauthFinish where you are signed in."];
const OFFER = "{{ documents.offer }}";
const UNREACHABLE = "Le service ne répond pas. Réessayez dans un instant. / No answer: try again in a moment.";
const OVER = ["Ce lien n’est plus valable", "Demandez-en un autre.", "This link is no longer good. Ask for another one."];
const BARE = ["Votre compte", "Cette page ouvre les liens de nos lettres : invitation, ouverture d’un compte, mot de passe, adresse. "
  + "Ouvrez celui de la vôtre.", "This page opens the links of our letters: invitation, new account, password, address. Open the one in yours."];
const FRENCH = {
  "input.password": "Ce mot de passe ne convient pas : choisissez-en un autre, plus long ou moins évident.",
  "input.firstName": "Indiquez votre prénom.", "input.lastName": "Indiquez votre nom.",
};
const at = (id) => document.getElementById(id);

async function ask(documentId, variables, credentials = "omit") {
  const answer = await fetch("/graphql", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ documentId, variables }),
    credentials, signal: AbortSignal.timeout(30000),
  });
  return answer.json();
}

function say([title, text, english]) {
  at("title").textContent = title;
  at("text").textContent = text;
  at("english").textContent = english;
}

function complain(error) {
  const french = FRENCH[error?.extensions?.field];
  at("problem").textContent = french ? `${french} / ${error.message}` : error?.message ?? UNREACHABLE;
  at("problem").hidden = false;
}

function over() {
  say(OVER);
  at("form").hidden = true;
}

async function offered(token) {
  const { data, errors } = await ask(OFFER, { token });
  if (errors) return over();
  const { organizationName, email, hasAccount } = data.invitationOffer;
  say([`Rejoindre ${organizationName}`,
    hasAccount ? `Vous avez déjà un compte, ${email} : vous y gardez votre mot de passe.` : `Votre compte sera ${email}.`,
    hasAccount ? "You have an account already, and keep its password." : "Give your name and choose a password."]);
  for (const id of ["names", "surnames", "secret"]) at(id).hidden = hasAccount;
  at("form").hidden = false;
}

async function finish(back) {
  history.replaceState(null, "", location.pathname);
  if (!back.has("code")) return say(DENIED);
  const input = Object.fromEntries(["code", "state", "iss"].filter((name) => back.has(name)).map((name) => [name, back.get(name)]));
  const { errors } = await ask(CONSENT, { input }, "same-origin");
  if (errors?.[0].extensions?.code === "UNAUTHENTICATED") {
    say(ELSEWHERE);
    at("given").textContent = JSON.stringify({ input }, null, 2);
    at("given").hidden = false;
  } else if (errors) {
    say(OVER);
    at("english").textContent = errors[0].message;
  } else say(CONNECTED);
}

async function begin() {
  const back = new URLSearchParams(location.search);
  if (back.has("state")) return finish(back).catch(() => say([UNREACHABLE, "", ""]));
  if (!location.hash) return say(BARE);
  const [, what, token] = /^#(\w+)=([\w.-]+)$/.exec(location.hash) ?? [];
  const words = Object.hasOwn(WORDS, what ?? "") ? WORDS[what] : null;
  if (!words) return over();
  history.replaceState(null, "", location.pathname); // out of the address bar and the history
  at("go").textContent = words.button;
  say([words.title, words.text, words.english]);
  at("secret").hidden = !words.secret;
  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(words, token);
  });
  if (what === "invitation") await offered(token).catch(() => complain());
  else at("form").hidden = false;
}

async function send(words, token) {
  const input = { token };
  for (const field of document.querySelectorAll("label:not([hidden]) input")) input[field.name] = field.value;
  at("go").disabled = true;
  at("problem").hidden = true;
  try {
    const { errors } = await ask(words.document, { input });
    if (errors?.[0].extensions?.field === "input.token") over();
    else if (errors) complain(errors[0]);
    else {
      at("form").hidden = true;
      say(words.done);
    }
  } catch {
    complain();
  }
  at("go").disabled = false;
}

begin();
