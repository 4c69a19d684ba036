// kafkajs, which has gzip only; peers/kafkajs/cases.js shows the other codecs.
const tls = require('tls')
const { bootstrap, installed } = require('../common')

let opened = 0
const connect = tls.connect
tls.connect = (...words) => {
  opened += 1
  return connect(...words)
}
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, CompressionTypes, ConfigResourceTypes, Kafka, logLevel,
  ResourcePatternTypes } = installed('kafkajs')

const text = (bytes) => (bytes === null || bytes === undefined ? null : bytes.toString())

function kafka(client) {
  return new Kafka({
    brokers: [bootstrap],
    ssl: client.tls ? { ca: [client.ca], key: client.key, cert: client.cert } : undefined,
    sasl: client.sasl
      ? { mechanism: client.mechanism.toLowerCase(), username: client.username, password: client.password }
      : undefined,
    logLevel: logLevel.ERROR,
    retry: { retries: 6, initialRetryTime: 100 },
    // Its default, ten seconds before the end, lies before the beginning of a session this short.
    reauthenticationThreshold: 1000,
  })
}

function says(error, word) {
  for (let one = error; one; one = one.cause) {
    if (one.type === word) return true
    if (word === 'SASL_AUTHENTICATION_FAILED' && one.name === 'KafkaJSSASLAuthenticationError') return true
    if ((one.errors || one.groups || []).some((each) => says(each.error || each, word))) return true
    // It loses the answer about a coordinator, and says what it did not find.
    if (/^(GROUP|TRANSACTIONAL_ID)_AUTH/.test(word) && one.name === 'KafkaJSGroupCoordinatorNotFound') return true
  }
  return false
}

async function admin(client) {
  const one = kafka(client).admin()
  await one.connect()
  const configs = (topic) => ({ type: ConfigResourceTypes.TOPIC, name: topic })
  const acls = (topic) => ({
    resourceType: AclResourceTypes.TOPIC, resourceName: topic, resourcePatternType: ResourcePatternTypes.LITERAL,
    operation: AclOperationTypes.ANY, permissionType: AclPermissionTypes.ANY,
  })
  return {
    topics: () => one.listTopics(),
    async createTopic(topic, partitions, settings) {
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
      const topics = [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }]
      if (!(await one.createTopics({ topics }))) {
        throw Object.assign(new Error('the topic was there'), { type: 'TOPIC_ALREADY_EXISTS' })
      }
    },
    async partitions(topic) {
      if (!(await one.listTopics()).includes(topic)) return 0
      const { topics } = await one.fetchTopicMetadata({ topics: [topic] })
      return topics[0].partitions.filter(({ leader }) => leader >= 0).length
    },
    grow: (topic, count) => one.createPartitions({ topicPartitions: [{ topic, count }] }),
    deleteTopic: (topic) => one.deleteTopics({ topics: [topic] }),
    async deleteRecords(topic, offset) {
      // It knows only the topics that it was asked about before.
      await one.fetchTopicOffsets(topic)
      await one.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] })
    },
    async config(topic, key) {
      const { resources } = await one.describeConfigs({ resources: [{ ...configs(topic), configNames: [key] }] })
      return resources[0].configEntries.find(({ configName }) => configName === key).configValue
    },
    setConfig: (topic, name, value) =>
      one.alterConfigs({ resources: [{ ...configs(topic), configEntries: [{ name, value }] }] }),
    groups: async () => (await one.listGroups()).groups.map(({ groupId }) => groupId),
    async group(group) {
      const [found] = (await one.describeGroups([group])).groups
      return [found.state.toUpperCase(), found.members.length]
    },
    async committed(group, topic) {
      const [found] = await one.fetchOffsets({ groupId: group, topics: [topic] })
      return Number(found.partitions[0].offset)
    },
    deleteGroup: (group) => one.deleteGroups([group]),
    allow: (topic, principal) =>
      one.createAcls({
        acl: [{
          ...acls(topic), principal, host: '*', operation: AclOperationTypes.READ, permissionType: AclPermissionTypes.ALLOW,
        }],
      }),
    async rules(topic) {
      const { resources } = await one.describeAcls(acls(topic))
      return resources.flatMap((resource) => resource.acls.map((acl) => acl.principal))
    },
    async forget(topic) {
      const { filterResponses } = await one.deleteAcls({ filters: [acls(topic)] })
      return filterResponses[0].matchingAcls.length
    },
    async offset(topic, time) {
      if (typeof time === 'number') return Number((await one.fetchTopicOffsetsByTimestamp(topic, time))[0].offset)
      return Number((await one.fetchTopicOffsets(topic))[0][time === 'earliest' ? 'low' : 'high'])
    },
    close: () => one.disconnect(),
  }
}

async function producer(client, { codec = 'none', idempotent = false, transactional }) {
  const made = kafka(client).producer({ idempotent, maxInFlightRequests: 1, transactionalId: transactional })
  await made.connect()
  const one = transactional ? await made.transaction() : made
  const compression = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP }[codec]
  return {
    async send(topic, messages) {
      const timed = messages.map((message) =>
        message.timestamp ? { ...message, timestamp: String(message.timestamp) } : message,
      )
      await one.send({ topic, messages: timed, compression })
    },
    close: () => made.disconnect(),
  }
}

async function consumer(client, { group, topic }) {
  const read = []
  let [owned, failed] = [-1, null]
  const one = kafka(client).consumer({
    groupId: group, sessionTimeout: 10000, heartbeatInterval: 500, maxWaitTimeInMs: 100,
  })
  one.on(one.events.GROUP_JOIN, ({ payload }) => (owned = (payload.memberAssignment[topic] || []).length))
  one.on(one.events.CRASH, ({ payload }) => (failed = payload.error))
  await one.connect()
  await one.subscribe({ topic, fromBeginning: true })
  await one.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const headers = Object.entries(message.headers || {}).map(([key, value]) => [key, text(value)])
      read.push({
        key: text(message.key), value: text(message.value), headers: Object.fromEntries(headers), partition,
        offset: Number(message.offset),
      })
    },
  })
  return {
    read,
    error: () => failed,
    assigned: () => owned,
    commit: (topic, partition, offset) => one.commitOffsets([{ topic, partition, offset: String(offset) }]),
    seek: async (topic, partition, offset) => one.seek({ topic, partition, offset: String(offset) }),
    close: () => one.disconnect(),
  }
}

/** A member asks for its topics first; committed offsets speak of the group at once. */
async function groupError(client, group) {
  const one = kafka(client).admin()
  await one.connect()
  try {
    await one.fetchOffsets({ groupId: group })
  } finally {
    await one.disconnect()
  }
}

module.exports = {
  codecs: ['none', 'gzip'],
  offers: ['admin_configs', 'admin_records', 'admin_acls', 'proves_itself_again'],
  connected: () => opened,
  says, admin, producer, consumer, groupError,
}
