#!/usr/bin/env node
// The program `transferkit`: everything that the command line offers is a call of public verbs.
import { runProgram } from './runProgram.ts';

await runProgram(process.argv.slice(2));
