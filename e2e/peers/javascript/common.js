// What every scenario needs: who is who, checks that say what was found, waiting with a limit.
//
// In: the environment that `run` sets. It knows no client library.
const fs = require('fs')
const net = require('net')
const path = require('path')
const { createRequire } = require('module')
const { randomBytes } = require('crypto')

const installed = createRequire(path.join(process.env.CACHE, 'node_modules', 'x'))
const bootstrap = process.env.BOOTSTRAP
const suffix = randomBytes(5).toString('hex')

const name = (stem) => `kst-${stem}-${suffix}`
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const numbers = (count) => [...Array(count).keys()]

function check(ok, what) {
  if (!ok) throw new Error(what)
}

function same(wanted, found, what) {
  const [left, right] = [JSON.stringify(wanted), JSON.stringify(found)]
  check(left === right, `${what}: expected ${left.slice(0, 300)}, got ${String(right).slice(0, 300)}`)
}

async function until(seconds, what, probe) {
  for (let end = Date.now() + seconds * 1000; ; ) {
    const found = await probe()
    if (found) return found
    check(Date.now() < end, `not within ${seconds} s: ${what}`)
    await sleep(20)
  }
}

/** The error that `work` ends with, which must come within so many seconds. */
async function refusal(seconds, what, work) {
  const late = sleep(seconds * 1000).then(() => {
    throw new Error(`no answer within ${seconds} s: ${what}`)
  })
  const ended = work().then(
    () => ({ error: null }),
    (error) => ({ error }),
  )
  const { error } = await Promise.race([ended, late])
  check(error, `${what} was not refused`)
  return error
}

/** Files in place of their names, and no password where a certificate is the proof. */
function client(text) {
  if (!text) return null
  const one = JSON.parse(text)
  const read = (file) => (file ? fs.readFileSync(file, 'utf-8') : undefined)
  const pem = read(one.cert)
  return {
    ...one,
    ca: read(one.ca),
    files: { ca: one.ca, pem: one.cert },
    key: pem,
    cert: pem && pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')),
  }
}

const main = client(process.env.CONFIG)

function denied() {
  check(process.env.DENIED, 'DENIED_CONFIG is not set')
  return client(process.env.DENIED)
}

function changed(changes) {
  check(main.sasl && main.password, 'the client has no password')
  return { ...main, ...changes }
}

/** Has the server stopped and started again. */
function restart() {
  check(process.env.RESTART, 'RESTART is not set')
  return new Promise((resolve, reject) => {
    let said = ''
    net
      .connect(process.env.RESTART)
      .on('data', (chunk) => (said += chunk))
      .on('error', reject)
      .on('close', () => (said === 'ok' ? resolve() : reject(new Error(`no restart: ${said}`))))
  })
}

module.exports = {
  bootstrap, changed, check, denied, installed, main, name, numbers, refusal, restart, same, sleep, until,
}
