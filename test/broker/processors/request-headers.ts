/** Headers of requests as a client sends them, to be varied. */
/** The header of a send as code 10 has it. */
export function sendHeader(topic: string, given: Readonly<Record<string, string | number | boolean>> = {}) {
  return {
    producerGroup: 'PG',
    topic,
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: 4,
    queueId: 0,
    sysFlag: 0,
    bornTimestamp: 1_600_000_000_000,
    flag: 0,
    properties: 'KEYS\u0001k1\u0002UNIQ_KEY\u0001U1\u0002TAGS\u0001A\u0002',
    reconsumeTimes: 0,
    unitMode: false,
    batch: false,
    ...given,
  }
}

export function pullHeader(topic: string, given: Readonly<Record<string, string | number | boolean>> = {}) {
  return {
    consumerGroup: 'CG',
    topic,
    queueId: 0,
    queueOffset: 0,
    maxMsgNums: 32,
    sysFlag: 2 | 4,
    commitOffset: 0,
    suspendTimeoutMillis: 15_000,
    subscription: '*',
    subVersion: 0,
    ...given,
  }
}
