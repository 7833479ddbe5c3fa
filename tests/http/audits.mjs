// Runs graphql-http's audits against the endpoint at argv[2]; one JSON list of results on standard output.
import { serverAudits } from 'graphql-http';

const results = await Promise.all(serverAudits({ url: process.argv[2] }).map((audit) => audit.fn()));

console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
