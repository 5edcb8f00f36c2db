// Runs one contender in a fresh process and takes what it prints.
import { spawn } from 'node:child_process';

/** Longest that one contender may take for one architecture, in milliseconds. */
const longest = 30 * 60_000;

/** What a contender says about itself and its works; `error` when it said nothing of use. */
export async function runContender({ command, environment = {} }, task) {
  const [program, ...args] = command;
  const flags = Object.entries(task).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { code, output, complaints } = await runProcess(program, [...args, ...flags], environment);
  try {
    return JSON.parse(output.trim().split('\n').at(-1));
  } catch {
    const reason = complaints.trim().split('\n').at(-1);
    return { works: {}, error: `ended with ${code}: ${reason}` };
  }
}

/** Runs a program to its end. */
export function runProcess(program, args, environment = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...process.env, ...environment }, timeout: longest });
    let [output, complaints] = ['', ''];
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (complaints += text));
    child.on('error', (error) => resolve({ code: error.code, output, complaints: error.message }));
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output, complaints }));
  });
}
