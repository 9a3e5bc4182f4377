/**
 * The body of 103 (RocketMQ RegisterBrokerBody): JSON, or with `compressed=true` a zlib stream of
 *
 *   [4 n][n DataVersion JSON] [4 count] count × ([4 n][n TopicConfig text]) [4 n][n filter servers JSON]
 *   and from version 5.0 on   [4 count] count × ([4 n][n TopicQueueMappingInfo JSON])
 *
 * A TopicConfig's text is its fields with spaces between: name, read queues, write queues, perm, filter type, attributes.
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib'
import { errorMessage } from '../../lib/errors.ts'
import { Version } from '../codes.ts'
import { remotingErrors } from '../errors.ts'
import { parseJson, toJson } from '../json-dialect.ts'
import { bodyOf, defineBody, listOf, mapOf, type Of, text, withDefault } from '../shape.ts'
import { DataVersion, noDataVersion } from './data-version.ts'
import { TopicConfig, TopicConfigWrapper, TopicQueueMappingInfo } from './topic.ts'

const noTopics: TopicConfigWrapper = {
  dataVersion: noDataVersion,
  mappingDataVersion: undefined,
  topicConfigTable: new Map(),
  topicQueueMappingDetailMap: new Map(),
  topicQueueMappingInfoMap: new Map(),
}

export const RegisterBrokerBody = defineBody({
  filterServerList: withDefault(listOf(text), []),
  topicConfigSerializeWrapper: withDefault(TopicConfigWrapper, noTopics),
})
export type RegisterBrokerBody = Of<typeof RegisterBrokerBody>

/** What a registration without a body says. */
export const noRegisterBrokerBody: RegisterBrokerBody = { filterServerList: [], topicConfigSerializeWrapper: noTopics }

/** Unpacked size above which a compressed body is refused. */
const UNPACKED_BYTES_MAX = 67_108_864
const filterServers = bodyOf(listOf(text))
const attributes = mapOf(text)

/** The `bodyCrc32` header of a body (RocketMQ UtilAll.crc32). */
export function bodyCrc32(body: Buffer): number {
  return crc32(body) & 0x7fffffff
}

/** `version` is that of the broker's command. Throws REMOTING_BODY_INVALID. */
export function decodeCompressed(body: Buffer, version: number): RegisterBrokerBody {
  const parts = new Parts(inflate(body))
  const dataVersion = DataVersion.decode(parts.next())
  const topicConfigTable = new Map<string, TopicConfig>()
  for (let left = parts.count(); left > 0; left--) {
    const config = parseTopicConfig(parts.next().toString('utf8'))
    topicConfigTable.set(config.topicName, config)
  }
  const filterServerList = filterServers.decode(parts.next())
  const mappings = new Map<string, TopicQueueMappingInfo>()
  for (let left = version >= Version.V5_0_0 ? parts.count() : 0; left > 0; left--) {
    const mapping = TopicQueueMappingInfo.decode(parts.next())
    mappings.set(mapping.topic ?? '', mapping)
  }
  const wrapper = { ...noTopics, dataVersion, topicConfigTable, topicQueueMappingInfoMap: mappings }
  return { filterServerList, topicConfigSerializeWrapper: wrapper }
}

/** As a broker of version 5.0 or later writes it. */
export function encodeCompressed(body: RegisterBrokerBody): Buffer {
  const { dataVersion, topicConfigTable, topicQueueMappingInfoMap } = body.topicConfigSerializeWrapper
  const pieces = [sized(DataVersion.encode(dataVersion)), int32(topicConfigTable.size)]
  for (const config of topicConfigTable.values()) pieces.push(sized(Buffer.from(formatTopicConfig(config))))
  pieces.push(sized(filterServers.encode(body.filterServerList)), int32(topicQueueMappingInfoMap.size))
  for (const mapping of topicQueueMappingInfoMap.values()) pieces.push(sized(TopicQueueMappingInfo.encode(mapping)))
  return deflateSync(Buffer.concat(pieces), { level: 9 })
}

function parseTopicConfig(line: string): TopicConfig {
  const [topicName = '', readQueueNums, writeQueueNums, perm, topicFilterType, ...rest] = line.split(' ')
  if (topicFilterType === undefined) throw cutOff()
  return TopicConfig.read(
    { topicName, readQueueNums, writeQueueNums, perm, topicFilterType, attributes: attributesOf(rest.join(' ')) },
    `topic ${topicName}`,
  )
}

/** Attributes that cannot be read are left out, as RocketMQ TopicConfig.decode leaves them. */
function attributesOf(json: string): unknown {
  if (json === '') return undefined
  try {
    return attributes.write(attributes.read(parseJson(json), 'attributes'))
  } catch {
    return undefined
  }
}

function formatTopicConfig(config: TopicConfig): string {
  const { topicName, readQueueNums, writeQueueNums, perm, topicFilterType } = config
  return [topicName, readQueueNums, writeQueueNums, perm, topicFilterType, toJson(config.attributes)].join(' ')
}

function inflate(body: Buffer): Buffer {
  try {
    return inflateSync(body, { maxOutputLength: UNPACKED_BYTES_MAX })
  } catch (error) {
    throw remotingErrors.create('REMOTING_BODY_INVALID', `the body cannot be unpacked: ${errorMessage(error)}`, error)
  }
}

class Parts {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  count(): number {
    if (this.#bytes.length - this.#at < 4) throw cutOff()
    const count = this.#bytes.readInt32BE(this.#at)
    if (count < 0) throw cutOff()
    this.#at += 4
    return count
  }

  next(): Buffer {
    const length = this.count()
    if (this.#bytes.length - this.#at < length) throw cutOff()
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}

function cutOff(): Error {
  return remotingErrors.create('REMOTING_BODY_INVALID', 'the unpacked body is cut off')
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([int32(bytes.length), bytes])
}
