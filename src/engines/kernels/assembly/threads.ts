// How threads share the tasks of one kernel run. All of them execute the same module on the same memory; a block of
// control words in that memory describes the work.
import { kernel } from './index';

// Offsets of the control words in bytes. Words that several threads write have their own cache lines.
const GENERATION = 0;
const NEXT = 64;
const DONE = 128;
const FAILED = 192;
const KERNEL = 196;
const TASKS = 200;
const PARAMETERS = 256;

/**
 * NEXT counts down from BASE + tasks. A thread that reads a value above BASE has a task, and the run cannot end before
 * it.
 */
const BASE: i32 = 1 << 16;

/** Number of times that a thread looks for work before it sleeps. */
const SPINS: i32 = 20000;

/** The endless loop of a thread: sleeps until a run begins, then takes tasks. */
export function serve(control: usize, thread: i32): void {
  let seen = 0;
  for (;;) {
    let spins = 0;
    while (atomic.load<i32>(control + GENERATION) == seen) {
      if (++spins > SPINS) atomic.wait<i32>(control + GENERATION, seen, -1);
    }
    seen = atomic.load<i32>(control + GENERATION);
    takeTasks(control, thread);
  }
}

/** Runs a kernel whose parameters are written: wakes the other threads, takes tasks, and waits for the last one. */
export function run(control: usize, which: i32, tasks: i32, mayWait: bool): bool {
  store<i32>(control + KERNEL, which);
  store<i32>(control + TASKS, tasks);
  atomic.store<i32>(control + DONE, 0);
  atomic.store<i32>(control + NEXT, BASE + tasks);
  atomic.add<i32>(control + GENERATION, 1);
  atomic.notify(control + GENERATION, -1);
  takeTasks(control, 0);
  let spins = 0;
  while (true) {
    const done = atomic.load<i32>(control + DONE);
    if (done == tasks) return true;
    if (atomic.load<i32>(control + FAILED) != 0) return false;
    // Sleeps at most a millisecond, because a thread that fails does not wake this one.
    if (++spins > SPINS && mayWait) atomic.wait<i32>(control + DONE, done, 1000000);
  }
}

/** Runs a kernel on the calling thread only. */
export function runAlone(control: usize, which: i32, tasks: i32): void {
  for (let task = 0; task < tasks; task++) kernel(which, control + PARAMETERS, task, 0);
}

function takeTasks(control: usize, thread: i32): void {
  for (;;) {
    const right = atomic.sub<i32>(control + NEXT, 1);
    if (right <= BASE) return;
    const tasks = load<i32>(control + TASKS);
    kernel(load<i32>(control + KERNEL), control + PARAMETERS, tasks - (right - BASE), thread);
    if (atomic.add<i32>(control + DONE, 1) == tasks - 1) atomic.notify(control + DONE, 1);
  }
}
