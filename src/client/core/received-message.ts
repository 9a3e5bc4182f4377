/** A message as a consumer sees it. Fields are read from the record's bytes when they are asked for. */
import { encodeOffsetMessageId } from '../../message/message-id.ts'
import { KEY_SEPARATOR, PropertyName, decodeProperties, findProperty } from '../../message/properties.ts'
import {
  decodeRecord,
  recordBodyLength,
  recordBornTimestampMs,
  recordFault,
  recordFlag,
  recordProperties,
  recordQueueId,
  recordQueueOffset,
  recordReconsumeTimes,
  recordSize,
  recordStoreTimestampMs,
  recordSysFlag,
  recordOffset,
  recordTopic,
  recordBody,
} from '../../message/record.ts'
import { restoreBody } from '../../message/compression.ts'
import { SysFlag } from '../../message/sys-flag.ts'
import { isRetryTopic } from '../../message/topic-name.ts'
import { clientErrors } from './errors.ts'

/** Bytes a compressed body may grow to: far above the 4 MiB a broker takes. */
const RESTORED_BYTES_MAX = 64 * 1024 * 1024

export class ReceivedMessage {
  readonly #record: Buffer
  readonly #at: number
  readonly brokerName: string
  /** The place in its queue: unique together with topic, broker name and queue id, and never changing. */
  readonly queueOffset: number
  /** The record's size, as stored. */
  readonly bytes: number
  #body: Buffer | undefined
  #properties: ReadonlyMap<string, string> | undefined
  #topic: string | undefined

  /** `record[at…]` begins with a whole record (`recordFault` said undefined). */
  constructor(record: Buffer, at: number, brokerName: string) {
    this.#record = record
    this.#at = at
    this.brokerName = brokerName
    this.queueOffset = recordQueueOffset(record, at)
    this.bytes = recordSize(record, at)
  }

  /** The topic it was sent to; for a message that comes again, not the retry topic but the first one. */
  get topic(): string {
    this.#topic ??= isRetryTopic(this.storedTopic)
      ? (this.property(PropertyName.RETRY_TOPIC) ?? this.storedTopic)
      : this.storedTopic
    return this.#topic
  }

  /** The topic it lies in: `%RETRY%group` when it comes again. */
  get storedTopic(): string {
    return recordTopic(this.#record, this.#at)
  }

  get queueId(): number {
    return recordQueueId(this.#record, this.#at)
  }

  /** The body, restored when it was compressed. A view of the pull's bytes: copy what you keep for long. */
  get body(): Buffer {
    this.#body ??= restoreBody(recordBody(this.#record, this.#at), this.sysFlag, RESTORED_BYTES_MAX)
    return this.#body
  }

  /** Size of the body as stored. */
  get storedBodyBytes(): number {
    return recordBodyLength(this.#record, this.#at)
  }

  get properties(): ReadonlyMap<string, string> {
    this.#properties ??= decodeProperties(recordProperties(this.#record, this.#at))
    return this.#properties
  }

  /** One property; cheaper than all of them. */
  property(name: string): string | undefined {
    return this.#properties === undefined
      ? findProperty(recordProperties(this.#record, this.#at), name)
      : this.#properties.get(name)
  }

  get tag(): string | undefined {
    return this.property(PropertyName.TAGS)
  }

  get keys(): readonly string[] {
    return (
      this.property(PropertyName.KEYS)
        ?.split(KEY_SEPARATOR)
        .filter((key) => key !== '') ?? []
    )
  }

  /** The id its producer gave it; the offset id when a foreign producer gave none. */
  get messageId(): string {
    return this.property(PropertyName.UNIQ_KEY) ?? this.offsetMessageId
  }

  /** Store host and CommitLog offset in hex: where it lies. */
  get offsetMessageId(): string {
    const { storeHost, offset } = decodeRecord(this.#record.subarray(this.#at, this.#at + this.bytes), 0)
    return encodeOffsetMessageId(storeHost, offset)
  }

  get bornTimestampMs(): number {
    return recordBornTimestampMs(this.#record, this.#at)
  }

  get storeTimestampMs(): number {
    return recordStoreTimestampMs(this.#record, this.#at)
  }

  /** How often it was sent back before: 0 the first time. */
  get reconsumeTimes(): number {
    return recordReconsumeTimes(this.#record, this.#at)
  }

  /** The producer's own int32. */
  get flag(): number {
    return recordFlag(this.#record, this.#at)
  }

  get sysFlag(): number {
    return recordSysFlag(this.#record, this.#at)
  }

  /** Its byte offset in the CommitLog, which names it when it is sent back. */
  get offset(): number {
    return recordOffset(this.#record, this.#at)
  }
}

/**
 * The messages of a pull's body, each checked to be whole and, if asked, against its checksum.
 * Errors: `CLIENT_PROTOCOL`.
 */
export function receivedMessages(body: Buffer, brokerName: string, checkCrc: boolean): ReceivedMessage[] {
  const messages: ReceivedMessage[] = []
  for (let at = 0; at < body.length; ) {
    const fault = recordFault(body, at, body.length, checkCrc)
    if (fault !== undefined) throw clientErrors.create('CLIENT_PROTOCOL', `a pulled message is damaged: ${fault}`)
    messages.push(new ReceivedMessage(body, at, brokerName))
    at += recordSize(body, at)
  }
  return messages
}

/** Whether the record is a batch that must be unwrapped (a topic of type BatchCQ), which this client does not take. */
export function isInnerBatch(message: ReceivedMessage): boolean {
  return (message.sysFlag & (SysFlag.needUnwrap | SysFlag.innerBatch)) !== 0
}
