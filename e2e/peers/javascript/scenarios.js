// node scenarios.js [TEST..], TEST like `platformatic/seek`; it may end in `*`.
//
// Every scenario runs in a process of its own, for 60 s (LIMIT) at most, and prints PASS or FAIL, its name and the seconds.
const fs = require('fs')
const path = require('path')
const { fork } = require('child_process')
const shared = require('./shared')

const LIMIT = Number(process.env.LIMIT || 60) * 1000
const CLIENTS = ['confluent', 'platformatic', 'kafkajs']
const log = path.join(process.env.CACHE, 'last-run.log')

const load = async (client) => (await import(`./drivers/${client}.${client === 'platformatic' ? 'mjs' : 'js'}`)).default

async function child(test) {
  const [client, scenario] = test.split('/')
  const driver = await load(client)
  let said = ['PASS', '']
  try {
    await shared.scenarios(driver)[scenario](driver)
  } catch (error) {
    console.error(`--- ${test}`, error)
    const at = /\/javascript\/([\w./]+:\d+)/.exec(error.stack || '')
    said = ['FAIL', `${error.name}: ${String(error.message).replace(/\s+/g, ' ').slice(0, 400)} (${at ? at[1] : '?'})`]
  }
  process.send(said, () => process.exit(0))
}

function run(test) {
  return new Promise((resolve) => {
    const began = Date.now()
    const out = fs.openSync(log, 'a')
    const process_ = fork(__filename, ['--one', test], { stdio: ['ignore', out, out, 'ipc'] })
    let said = ['FAIL', 'the process ended without a verdict']
    const timer = setTimeout(() => {
      said = ['FAIL', `not done within ${LIMIT / 1000} s`]
      process_.kill('SIGKILL')
    }, LIMIT)
    // A client's own threads may hold the process back.
    process_.on('message', (message) => {
      said = message
      setTimeout(() => process_.kill('SIGKILL'), 500)
    })
    process_.on('exit', () => {
      clearTimeout(timer)
      fs.closeSync(out)
      const [verdict, why] = said
      console.log(`${verdict} ${test} ${((Date.now() - began) / 1000).toFixed(3)}${why ? `\n    ${why}` : ''}`)
      resolve(verdict === 'PASS')
    })
  })
}

async function all(words) {
  fs.writeFileSync(log, '')
  const tests = []
  for (const client of CLIENTS) {
    tests.push(...Object.keys(shared.scenarios(await load(client))).map((scenario) => `${client}/${scenario}`))
  }
  const wanted = (words.length ? words : ['*']).flatMap((word) => {
    const hits = tests.filter((test) => (word.endsWith('*') ? test.startsWith(word.slice(0, -1)) : test === word))
    if (!hits.length) console.log(`FAIL ${word} 0.0\n    no such scenario`)
    return hits
  })
  let passed = 0
  const next = async () => {
    for (let test = wanted.shift(); test; test = wanted.shift()) {
      if (await run(test)) passed += 1
    }
  }
  const count = wanted.length
  await Promise.all([...Array(Number(process.env.JOBS || 1))].map(next))
  console.log(`${passed} passed, ${count - passed} failed`)
  process.exit(passed === count && count > 0 ? 0 : 1)
}

const [, , first, ...rest] = process.argv
if (first === '--one') child(rest[0])
else all(first === undefined ? [] : [first, ...rest])
