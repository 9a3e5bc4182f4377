/** The fields of a pull (11) of all that a queue has; its topic is said by whoever pulls. */
export const pullFields = {
  consumerGroup: '#group',
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 32,
  // A subscription comes with it; nothing is waited for.
  sysFlag: 4,
  commitOffset: 0,
  suspendTimeoutMillis: 0,
  subscription: '*',
  subVersion: 0,
}
