// @platformatic/kafka, which speaks only the newest versions of each API.
import module from 'node:module'
import tls from 'node:tls'
import zlib from 'node:zlib'
import { pathToFileURL } from 'node:url'
import common from '../common.js'

const { bootstrap, installed, main } = common

// What Node has from 22.15 on: an older one gets the codec from a package.
if (!zlib.zstdCompressSync) {
  const { ZstdCodec } = installed('zstd-codec')
  const codec = await new Promise((resolve) => ZstdCodec.run((made) => resolve(new made.Simple())))
  zlib.zstdCompressSync = (bytes) => Buffer.from(codec.compress(bytes))
  zlib.zstdDecompressSync = (bytes) => Buffer.from(codec.decompress(bytes))
}
let opened = 0
const connect = tls.connect
tls.connect = (...words) => {
  opened += 1
  return connect(...words)
}
module.syncBuiltinESMExports()
const kafka = await import(pathToFileURL(installed.resolve('@platformatic/kafka')))

const text = (bytes) => (bytes === null || bytes === undefined ? null : bytes.toString())

const options = (client) => ({
  clientId: 'suite',
  bootstrapBrokers: [bootstrap],
  tls: client.tls ? { ca: client.ca, key: client.key, cert: client.cert } : undefined,
  sasl: client.sasl
    ? { mechanism: client.mechanism, username: client.username, password: client.password }
    : undefined,
  retries: 8,
  retryDelay: 200,
})

/** Whether an error, or one inside it, is this one of the protocol. */
function says(error, word) {
  if (!error) return false
  if (error.apiId === word) return true
  if (word === 'UNSUPPORTED_VERSION' && error.code === 'PLT_KFK_UNSUPPORTED_API') return true
  return says(error.cause, word) || (error.errors || []).some((one) => says(one, word))
}

async function admin(client) {
  const one = new kafka.Admin(options(client))
  const acls = (topic) => ({
    resourceType: kafka.ResourceTypes.TOPIC, resourceName: topic, resourcePatternType: kafka.ResourcePatternTypes.LITERAL,
    principal: null, host: null, operation: kafka.AclOperations.ANY, permissionType: kafka.AclPermissionTypes.ANY,
  })
  const resource = (topic) => ({ resourceType: kafka.ConfigResourceTypes.TOPIC, resourceName: topic })
  return {
    topics: () => one.listTopics(),
    async createTopic(topic, partitions, configs) {
      await one.createTopics({
        topics: [topic], partitions, replicas: 1,
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      })
    },
    async partitions(topic) {
      if (!(await one.listTopics()).includes(topic)) return 0
      const { topics } = await one.metadata({ topics: [topic], forceUpdate: true })
      return topics.get(topic).partitions.filter(({ leader }) => leader >= 0).length
    },
    grow: (topic, count) => one.createPartitions({ topics: [{ name: topic, count, assignments: null }] }),
    deleteTopic: (topic) => one.deleteTopics({ topics: [topic] }),
    deleteRecords: (topic, offset) =>
      one.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: BigInt(offset) }] }] }),
    async config(topic, key) {
      const [found] = await one.describeConfigs({ resources: [{ ...resource(topic), configurationKeys: [key] }] })
      return found.configs.find(({ name }) => name === key).value
    },
    setConfig: (topic, name, value) =>
      one.incrementalAlterConfigs({
        resources: [{ ...resource(topic), configs: [{ name, configOperation: 0, value }] }],
      }),
    groups: async () => [...(await one.listGroups()).keys()],
    async group(group) {
      const found = (await one.describeGroups({ groups: [group] })).get(group)
      return [found.state.toUpperCase(), found.members.size]
    },
    async committed(group, topic) {
      const [found] = await one.listConsumerGroupOffsets({
        groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes: [0] }] }],
      })
      return Number(found.topics[0].partitions[0].committedOffset)
    },
    deleteGroup: (group) => one.deleteGroups({ groups: [group] }),
    allow: (topic, principal) =>
      one.createAcls({
        creations: [{
          ...acls(topic), principal, host: '*', operation: kafka.AclOperations.READ,
          permissionType: kafka.AclPermissionTypes.ALLOW,
        }],
      }),
    async rules(topic) {
      const found = await one.describeAcls({ filter: acls(topic) })
      return found.flatMap(({ acls: held }) => held.map(({ principal }) => principal))
    },
    forget: async (topic) => (await one.deleteAcls({ filters: [acls(topic)] })).length,
    async offset(topic, time) {
      const timestamp = { earliest: -2n, latest: -1n }[time] ?? BigInt(time)
      const [found] = await one.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }] })
      return Number(found.partitions[0].offset)
    },
    close: () => one.close(),
  }
}

async function producer(client, { codec = 'none', idempotent = false, transactional }) {
  const one = new kafka.Producer({
    ...options(client), compression: codec, idempotent: idempotent || Boolean(transactional), acks: -1,
    transactionalId: transactional,
  })
  const transaction = transactional && (await one.beginTransaction())
  return {
    async send(topic, messages) {
      const records = messages.map(({ key, value, headers, partition, timestamp }) => ({
        topic, partition,
        key: key === null ? undefined : Buffer.from(key),
        value: value === null ? undefined : Buffer.from(value),
        headers: headers && new Map(Object.entries(headers).map((pair) => pair.map((word) => Buffer.from(word)))),
        timestamp: timestamp && BigInt(timestamp),
      }))
      await (transaction || one).send({ messages: records })
    },
    close: () => one.close(),
  }
}

async function consumer(client, { group, topic, protocol }) {
  const read = []
  let [failed, stream] = [null, null]
  const members = protocol
    ? { groupProtocol: protocol }
    : { sessionTimeout: 10000, heartbeatInterval: 500, rebalanceTimeout: 10000 }
  const one = new kafka.Consumer({ ...options(client), groupId: group, autocommit: false, maxWaitTime: 200, ...members })
  one.on('consumer:heartbeat:error', ({ error }) => console.error('heartbeat', error))
  const start = async (from) => {
    stream = await one.consume({ topics: [topic], autocommit: false, ...from })
    stream.on('error', (error) => (failed = error))
    stream.on('data', ({ key, value, headers, partition, offset }) =>
      read.push({
        key: text(key), value: text(value), partition, offset: Number(offset),
        headers: Object.fromEntries([...headers].map((pair) => pair.map(text))),
      }),
    )
  }
  await start({ mode: 'committed', fallbackMode: 'earliest' })
  return {
    read,
    error: () => failed,
    assigned: () => (one.assignments || []).flatMap(({ partitions }) => partitions).length,
    commit: (topic, partition, offset) =>
      one.commit({ offsets: [{ topic, partition, offset: BigInt(offset), leaderEpoch: -1 }] }),
    async seek(topic, partition, offset) {
      await stream.close()
      await start({ mode: 'manual', offsets: [{ topic, partition, offset: BigInt(offset) }] })
    },
    close: () => one.close(true),
  }
}

/** The codec bits of the first batch of a topic. */
async function storedCodec(topic) {
  const one = new kafka.Consumer({ ...options(main), groupId: 'none' })
  const { topics } = await one.metadata({ topics: [topic] })
  const { id, partitions } = topics.get(topic)
  const partition = {
    partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, lastFetchedEpoch: -1, partitionMaxBytes: 1 << 20,
  }
  const { responses } = await one.fetch({ node: partitions[0].leader, topics: [{ topicId: id, partitions: [partition] }] })
  await one.close(true)
  return responses[0].partitions[0].records[0].attributes & 7
}

export default {
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  offers: ['admin_configs', 'admin_records', 'admin_acls', 'kip848_refused', 'proves_itself_again'],
  connected: () => opened,
  says, admin, producer, consumer, storedCodec,
}
