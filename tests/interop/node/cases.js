'use strict';
// Cases in JavaScript, told to clients/harness.py: `ok NAME` or `not ok NAME: WHY`, and `1..N` at the end.
const assert = require('assert');

const cases = [];
let names = 0;

const name = (what = 'q') => `clients.node.${what}.${process.pid}.${++names}`;
const add = (title, run) => cases.push({ title, run });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function within(promise, what, ms = 10000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function until(condition, what, ms = 10000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert(Date.now() < end, `waited ${ms} ms for ${what}`);
    await pause(5);
  }
}

async function run() {
  const uri = process.argv[process.argv.length - 1];
  for (const { title, run } of cases) {
    try {
      await within(run(uri), title, 20000);
      console.log(`ok ${title}`);
    } catch (e) {
      console.log(`not ok ${title}: ${String(e.stack || e).replace(/\n/g, ' | ')}`);
    }
  }
  console.log(`1..${cases.length}`);
  process.exit(0);
}

module.exports = { add, name, pause, until, within, run };
