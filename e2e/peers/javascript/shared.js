// The scenarios, the same for each client. A driver (drivers/) puts a client's calls behind one set of names; a scenario
// that needs a call the client does not have is not there for it.
const { changed, check, denied, main, name, numbers, refusal, restart, same, sleep, until } = require('./common')

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const value = (n) => `v${n}`
const fill = (count, first = 0) => numbers(count).map((n) => ({ key: `k${first + n}`, value: value(first + n) }))

async function topicOf(driver, stem, partitions = 1, configs = {}) {
  const topic = name(stem)
  const admin = await driver.admin(main)
  await admin.createTopic(topic, partitions, configs)
  await until(10, 'the topic has leaders', async () => (await admin.partitions(topic)) === partitions)
  await admin.close()
  return topic
}

async function send(driver, topic, messages, settings = {}, client = main) {
  const producer = await driver.producer(client, settings)
  try {
    await producer.send(topic, messages)
  } finally {
    await producer.close()
  }
}

async function readAll(driver, topic, count) {
  const consumer = await driver.consumer(main, { group: name(`all-${topic}`), topic })
  await until(25, `${count} records`, () => consumer.read.length >= count)
  await consumer.close()
  return consumer.read
}

async function codec(driver, compression) {
  const topic = await topicOf(driver, 'codec')
  const messages = () => numbers(300).map((n) => ({
    key: n % 5 ? `k${n}` : null,
    value: n % 7 ? `value-${n}-`.repeat(20) : null,
    headers: { h: `x${n}`, empty: '' },
  }))
  await send(driver, topic, messages(), { codec: compression })
  const found = await readAll(driver, topic, 300)
  same(messages(), found.map(({ key, value, headers }) => ({ key, value, headers })), 'records')
  if (driver.storedCodec) same(CODECS.indexOf(compression), await driver.storedCodec(topic), 'codec as it is stored')
}

async function produces(driver) {
  const topic = await topicOf(driver, 'login')
  return (client) => send(driver, topic, fill(3), {}, client)
}

const everywhere = {
  async idempotent(driver) {
    const topic = await topicOf(driver, 'idempotent', 3)
    const producer = await driver.producer(main, { idempotent: true })
    for (const n of numbers(10)) await producer.send(topic, fill(500, n * 500))
    await producer.close()
    const found = await readAll(driver, topic, 5000)
    same(5000, new Set(found.map((one) => one.value)).size, 'distinct records')
    for (const partition of numbers(3)) {
      const order = found.filter((one) => one.partition === partition).map((one) => Number(one.value.slice(1)))
      check(order.length > 0 && order.every((n, at) => at === 0 || order[at - 1] < n), `order in ${partition}`)
    }
  },

  async group_of_three(driver) {
    const topic = await topicOf(driver, 'group', 6)
    const group = name('group')
    const members = []
    const shares = (wanted) => () =>
      same(wanted, members.map((one) => one.assigned()), 'shares') === undefined && true
    const settle = (wanted) =>
      until(30, `shares ${wanted}`, () => {
        try {
          return shares(wanted)()
        } catch {
          return false
        }
      })
    for (const wanted of [[6], [3, 3], [2, 2, 2]]) {
      members.push(await driver.consumer(main, { group, topic }))
      await settle(wanted)
    }
    // @platformatic/kafka hands out what a Fetch brings that was on its way when the group changed, with Apache Kafka as well:
    // those end before anything is written.
    await sleep(2000)
    await send(driver, topic, numbers(60).map((n) => ({ key: `k${n}`, value: value(n), partition: n % 6 })))
    const read = () => members.flatMap((one) => one.read)
    await until(25, '60 records', () => read().length >= 60)
    same(60, new Set(read().map((one) => one.value)).size, 'distinct records')
    same([20, 20, 20], members.map((one) => one.read.length), 'records of each member')
    await members.pop().close()
    await settle([3, 3])
    for (const one of members) await one.close()
  },

  async commit_resume(driver) {
    const topic = await topicOf(driver, 'commit')
    const group = name('commit')
    await send(driver, topic, fill(20))
    const first = await driver.consumer(main, { group, topic })
    await until(25, '7 records', () => first.read.length >= 7)
    await first.commit(topic, 0, 7)
    await first.close()
    const second = await driver.consumer(main, { group, topic })
    await until(25, 'the other 13', () => second.read.length >= 13)
    await second.close()
    same(numbers(20).slice(7), second.read.map((one) => one.offset), 'offsets after the resume')
  },

  async seek(driver) {
    const topic = await topicOf(driver, 'seek')
    await send(driver, topic, fill(20))
    const consumer = await driver.consumer(main, { group: name('seek'), topic })
    await until(25, '20 records', () => consumer.read.length >= 20)
    await consumer.seek(topic, 0, 15)
    await until(25, 'the last 5 again', () => consumer.read.length >= 25)
    await consumer.close()
    same([15, 16, 17, 18, 19], consumer.read.slice(20).map((one) => one.offset), 'offsets after the seek')
  },

  async offsets_by_time(driver) {
    const topic = await topicOf(driver, 'times')
    const start = Date.now() - 3_600_000
    await send(driver, topic, numbers(10).map((n) => ({ key: 'k', value: value(n), timestamp: start + n * 1000 })))
    const admin = await driver.admin(main)
    for (const [time, wanted] of [[0, 0], [2500, 3], [9000, 9]]) {
      same(wanted, await admin.offset(topic, start + time), `offset for +${time}`)
    }
    check([-1, 10].includes(await admin.offset(topic, start + 9001)), 'offset past the last record')
    same([0, 10], [await admin.offset(topic, 'earliest'), await admin.offset(topic, 'latest')], 'first and last')
    await admin.close()
  },

  async admin_topics(driver) {
    const topic = await topicOf(driver, 'admin', 2)
    const admin = await driver.admin(main)
    check((await admin.topics()).includes(topic), 'the topic is not listed')
    const error = await refusal(10, 'making it twice', () => admin.createTopic(topic, 2, {}))
    check(driver.says(error, 'TOPIC_ALREADY_EXISTS'), `made twice: ${error}`)
    await admin.grow(topic, 3)
    await until(10, '3 partitions', async () => (await admin.partitions(topic)) === 3)
    await admin.deleteTopic(topic)
    await until(10, 'the topic is gone', async () => !(await admin.topics()).includes(topic))
    await admin.close()
  },

  async admin_groups(driver) {
    const topic = await topicOf(driver, 'groups')
    const group = name('groups')
    await send(driver, topic, fill(5))
    const consumer = await driver.consumer(main, { group, topic })
    await until(25, '5 records', () => consumer.read.length >= 5)
    await consumer.commit(topic, 0, 5)
    const admin = await driver.admin(main)
    check((await admin.groups()).includes(group), 'the group is not listed')
    same(['STABLE', 1], await admin.group(group), 'state and members')
    same(5, await admin.committed(group, topic), 'committed offset')
    const error = await refusal(10, 'deleting a group with a member', () => admin.deleteGroup(group))
    check(driver.says(error, 'NON_EMPTY_GROUP'), `group with a member: ${error}`)
    await consumer.close()
    await until(15, 'the group is empty', async () => (await admin.group(group))[1] === 0)
    await admin.deleteGroup(group)
    check(!(await admin.groups()).includes(group), 'the group is still listed')
    await admin.close()
  },

  async log_in_with_scram_sha_256(driver) {
    await (await produces(driver))(changed({ mechanism: 'SCRAM-SHA-256' }))
  },

  async log_in_with_scram_sha_512(driver) {
    await (await produces(driver))(changed({ mechanism: 'SCRAM-SHA-512' }))
  },

  async log_in_with_plain(driver) {
    await (await produces(driver))(changed({ mechanism: 'PLAIN' }))
  },

  async wrong_password(driver) {
    const go = await produces(driver)
    const error = await refusal(15, 'a wrong password', () => go(changed({ password: 'not-the-password' })))
    check(driver.says(error, 'SASL_AUTHENTICATION_FAILED'), `wrong password: ${error}`)
  },

  async denied_topic(driver) {
    const topic = await topicOf(driver, 'secret')
    const error = await refusal(15, 'a topic without a rule', () => send(driver, topic, fill(1), {}, denied()))
    check(driver.says(error, 'TOPIC_AUTHORIZATION_FAILED'), `no rule: ${error}`)
    await send(driver, topic, fill(1))
    same(['v0'], (await readAll(driver, topic, 1)).map((one) => one.value), 'only what was allowed is stored')
  },

  async denied_group(driver) {
    const topic = await topicOf(driver, 'secret')
    const error = await refusal(15, 'a group without a rule', async () => {
      if (driver.groupError) return driver.groupError(denied(), name('secret'))
      const consumer = await driver.consumer(denied(), { group: name('secret'), topic })
      throw await until(20, 'an error', () => consumer.error())
    })
    check(driver.says(error, 'GROUP_AUTHORIZATION_FAILED'), `no rule: ${error}`)
  },

  async transactions_refused(driver) {
    const topic = await topicOf(driver, 'txn')
    const error = await refusal(5, 'a transaction', async () => {
      const producer = await driver.producer(main, { transactional: name('txn') })
      await producer.send(topic, fill(1))
    })
    check(driver.says(error, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'), `transaction: ${error}`)
  },

  // It needs the server to itself.
  async restart(driver) {
    const topic = await topicOf(driver, 'restart')
    const producer = await driver.producer(main, { idempotent: true })
    const consumer = await driver.consumer(main, { group: name('restart'), topic })
    for (const round of numbers(3)) {
      if (round) await restart()
      await producer.send(topic, fill(10, round * 10))
      await until(30, `${(round + 1) * 10} records`, () => consumer.read.length >= (round + 1) * 10)
    }
    await producer.close()
    await consumer.close()
    same(numbers(30).map(value), consumer.read.map((one) => one.value), 'records over two restarts')
  },
}

// What not every client has, by the call of its driver that it needs.
const optional = {
  async admin_configs(driver) {
    const topic = await topicOf(driver, 'configs', 1, { 'retention.ms': '1234567' })
    const admin = await driver.admin(main)
    same('1234567', await admin.config(topic, 'retention.ms'), 'retention.ms')
    await admin.setConfig(topic, 'retention.ms', '7654321')
    await until(10, 'the new value', async () => (await admin.config(topic, 'retention.ms')) === '7654321')
    const error = await refusal(10, 'a value that is none', () => admin.setConfig(topic, 'retention.ms', 'soon'))
    check(driver.says(error, 'INVALID_CONFIG'), `bad value: ${error}`)
    await admin.close()
  },

  async admin_records(driver) {
    const topic = await topicOf(driver, 'records')
    await send(driver, topic, fill(20))
    const admin = await driver.admin(main)
    await admin.deleteRecords(topic, 12)
    same([12, 20], [await admin.offset(topic, 'earliest'), await admin.offset(topic, 'latest')], 'first and last')
    await admin.close()
    same(12, (await readAll(driver, topic, 8))[0].offset, 'first that is read')
  },

  async admin_acls(driver) {
    const admin = await driver.admin(main)
    const [topic, principal] = [name('acl'), `User:${name('someone')}`]
    await admin.allow(topic, principal)
    await until(10, 'the rule', async () => (await admin.rules(topic)).includes(principal))
    const refused = await driver.admin(denied())
    const error = await refusal(10, 'making a rule without a rule', () => refused.allow(topic, principal))
    check(driver.says(error, 'CLUSTER_AUTHORIZATION_FAILED'), `no rule: ${error}`)
    same(1, await admin.forget(topic), 'rules removed')
    await until(10, 'no rule', async () => (await admin.rules(topic)).length === 0)
    await Promise.all([admin.close(), refused.close()])
  },

  async kip848_refused(driver) {
    const topic = await topicOf(driver, 'kip848')
    const error = await refusal(5, 'a group of KIP-848', async () => {
      const consumer = await driver.consumer(main, { group: name('kip848'), topic, protocol: 'consumer' })
      throw await until(10, 'an error', () => consumer.error())
    })
    check(driver.says(error, 'UNSUPPORTED_VERSION'), `KIP-848: ${error}`)
  },

  // SESSION_MS says after what time the server wants a proof again.
  async proves_itself_again(driver) {
    const life = Number(process.env.SESSION_MS)
    check(life > 0, 'SESSION_MS is not set')
    const topic = await topicOf(driver, 'again')
    const producer = await driver.producer(main, {})
    const consumer = await driver.consumer(main, { group: name('again'), topic })
    let sent = 0
    const work = async () => {
      await producer.send(topic, fill(1, sent++))
      await until(15, `${sent} records`, () => consumer.read.length >= sent)
      await consumer.commit(topic, 0, sent)
    }
    for (const end = Date.now() + life / 2; Date.now() < end; await sleep(100)) await work()
    const before = driver.connected()
    check(before > 0, 'no connection was seen')
    for (const end = Date.now() + 3 * life; Date.now() < end; await sleep(100)) await work()
    same(before, driver.connected(), 'connections after three lives of a session')
    await producer.close()
    await consumer.close()
  },
}

/** The scenarios that a driver has the calls for. */
function scenarios(driver) {
  const codecs = CODECS.filter((one) => driver.codecs.includes(one))
  return Object.fromEntries([
    ...codecs.map((one) => [`produce_${one}`, (it) => codec(it, one)]),
    ...Object.entries(everywhere),
    ...Object.entries(optional).filter(([name]) => driver.offers.includes(name)),
  ])
}

module.exports = { scenarios }
