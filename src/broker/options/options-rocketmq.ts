/**
 * The properties that RocketMQ 5 has (BrokerConfig, MessageStoreConfig, NettyServerConfig, NettyClientConfig, AuthConfig)
 * and that are not honoured, each with the reason.
 */

/** Keys that tune machinery which does not exist here: they change nothing that a client could see. */
export const withoutMeaning: readonly (readonly [why: string, keys: string])[] = [
  [
    'one event loop serves all requests: there are no thread pools',
    `
      sendMessageThreadPoolNums putMessageFutureThreadPoolNums pullMessageThreadPoolNums
      litePullMessageThreadPoolNums ackMessageThreadPoolNums processReplyMessageThreadPoolNums
      queryMessageThreadPoolNums adminBrokerThreadPoolNums clientManageThreadPoolNums
      consumerManageThreadPoolNums loadBalanceProcessorThreadPoolNums heartbeatThreadPoolNums
      recoverThreadPoolNums endTransactionThreadPoolNums compactionThreadNum timerGetMessageThreadNum
      timerPutMessageThreadNum batchDispatchRequestThreadPoolNums dispatchCqThreads recoverConcurrently
      asyncSendEnable litePullMessageEnable serverWorkerThreads serverCallbackExecutorThreads
      serverSelectorThreads serverNettyWorkerGroupEnable clientWorkerThreads clientCallbackExecutorThreads
      disableCallbackExecutor disableNettyWorkerGroup useEpollNativeSelector timerEnableDisruptor
      enableFastChannelEventProcess
    `,
  ],
  [
    'requests other than sends do not wait in queues of their own; sends: waitTimeMillsInSendQueue, maxInFlightBytes',
    `
      sendThreadPoolQueueCapacity putThreadPoolQueueCapacity pullThreadPoolQueueCapacity
      litePullThreadPoolQueueCapacity ackThreadPoolQueueCapacity replyThreadPoolQueueCapacity
      queryThreadPoolQueueCapacity clientManagerThreadPoolQueueCapacity
      consumerManagerThreadPoolQueueCapacity heartbeatThreadPoolQueueCapacity
      endTransactionPoolQueueCapacity adminBrokerThreadPoolQueueCapacity
      loadBalanceThreadPoolQueueCapacity
      waitTimeMillsInPullQueue waitTimeMillsInLitePullQueue waitTimeMillsInHeartbeatQueue
      waitTimeMillsInTransactionQueue waitTimeMillsInAckQueue waitTimeMillsInAdminBrokerQueue
      osPageCacheBusyTimeOutMills maxAsyncPutMessageRequests serverOnewaySemaphoreValue
      serverAsyncSemaphoreValue clientOnewaySemaphoreValue clientAsyncSemaphoreValue putMsgIndexHightWater
      dispatchCqCacheNum
    `,
  ],
  [
    'the log is written by positioned writes, not through mapped files and pages',
    `
      transferMsgByHeap warmMapedFileEnable flushLeastPagesWhenWarmMapedFile transientStorePoolEnable
      transientStorePoolSize fastFailIfNoBufferInStorePool writeWithoutMmap commitIntervalCommitLog
      commitCommitLogLeastPages commitCommitLogThoroughInterval wakeCommitWhenPutMessage
      flushCommitLogLeastPages flushConsumeQueueLeastPages mappedFileSwapEnable
      commitLogForceSwapMapInterval commitLogSwapMapInterval commitLogSwapMapReserveFileNum
      logicQueueForceSwapMapInterval logicQueueSwapMapInterval cleanSwapedMapInterval
      logicQueueSwapMapReserveFileNum putConsumeQueueDataByFileChannel destroyMapedFileIntervalForcibly
      redeleteHangedFileInterval dataReadAheadEnable sampleCountThreshold sampleSteps
      accessMessageInMemoryHotRatio
    `,
  ],
  [
    'when to flush follows from flushDiskType and maxUnflushedBytes, maxUnflushedMs: flushes are grouped, one in flight',
    `
      flushIntervalCommitLog flushCommitLogTimed flushCommitLogThoroughInterval flushIntervalConsumeQueue
      flushConsumeQueueThoroughInterval syncFlushTimeout wakeFlushWhenPutMessage enableRunningFlagsInFlush
    `,
  ],
  [
    'nothing in the log is locked: one event loop appends',
    `
      useReentrantLockWhenPutMessage useABSLock spinLockCollisionRetreatOptimalDegree topicQueueLockNum
      debugLockEnable putMessageTimeout
    `,
  ],
  [
    'derived files (ConsumeQueue, indexes) have a form of their own, and are rebuilt from the log where they end',
    `
      mappedFileSizeConsumeQueue mapperFileSizeBatchConsumeQueue maxHashSlotNum maxIndexNum
      messageIndexEnable messageIndexSafe enableAsyncReput recheckReputOffsetFromCq
      dispatchFromSenderThread enableBuildConsumeQueueConcurrently searchBcqByCacheEnable
      travelCqFileNumWhenGetMessage correctLogicMinOffsetSleepInterval correctLogicMinOffsetForceInterval
      maxConsumeQueueScan enableLogConsumeQueueRepeatedlyBuildWhenRecover maxRecoveryCommitlogFiles
      enableAcceleratedRecovery checkCRCOnRecover duplicationEnable maxChecksumRange diskFallRecorded
      readUnCommitted
    `,
  ],
  [
    'retention is one replicated decision: deleteWhen, fileReservedTime, diskMaxUsedSpaceRatio, diskSpaceCleanForciblyRatio',
    `
      cleanResourceInterval deleteCommitLogFilesInterval deleteConsumeQueueFilesInterval
      deleteFileBatchMax maxBatchDeleteFilesNum diskSpaceWarningLevelRatio replicasPerDiskPartition
      logicalDiskSpaceCleanForciblyThreshold
    `,
  ],
  [
    'replication is Raft, to a slave too: raftHeartbeatMs, raftMaxAppendBytes',
    `
      haSendHeartbeatInterval haTransferBatchSize haFlowControlEnable maxHaTransferByteInSecond
      haMaxTimeSlaveNotCatchup offsetCheckInSlave syncMasterFlushOffsetWhenStartup maxSlaveResendLength
      syncFromLastFile enableBatchPush storePathDLedgerCommitLog
    `,
  ],
  [
    'a majority of the members decides; of a SYNC_MASTER inSyncReplicas',
    'totalReplicas minInSyncReplicas enableAutoInSyncReplicas allAckInSyncStateSet',
  ],
  [
    'only with enableControllerMode or enableSlaveActingMaster',
    `
      controllerAddr fetchControllerAddrByDnsLookup syncBrokerMetadataPeriod checkSyncStateSetPeriod
      syncControllerMetadataPeriod controllerHeartBeatTimeoutMills brokerElectionPriority
      storePathEpochFile storePathBrokerIdentity asyncLearner skipPreOnline syncBrokerMemberGroupPeriod
      brokerNotActiveTimeoutMillis compatibleWithOldNameSrv sendHeartbeatTimeoutMillis
      brokerHeartbeatInterval
    `,
  ],
  [
    'tables are entries of the log and snapshots of its state: not files written from time to time',
    `
      flushConsumerOffsetInterval flushConsumerOffsetHistoryInterval flushDelayOffsetInterval
      consumerOffsetUpdateVersionStep delayOffsetUpdateVersionStep configManagerVersion
      realTimePersistRocksDBConfig
    `,
  ],
  [
    'only with the RocksDB store',
    `
      cleanRocksDBDirtyCQIntervalMin statRocksDBCQIntervalSec memTableFlushIntervalMs enableRocksDBLog
      rocksdbCQDoubleWriteEnable combineCQLoadingCQTypes combineCQPreferCQType combineAssignOffsetCQType
      combineCQEnableCheckSelf combineCQMaxExtraSearchCommitLogFiles
      bottomMostCompressionTypeForConsumeQueueStore rocksdbCompressionType rocksdbFlushWalFrequency
      rocksdbWalFileRollingThreshold
    `,
  ],
  [
    'sockets are Node.js sockets',
    `
      serverSocketSndBufSize serverSocketRcvBufSize serverSocketBacklog serverPooledByteBufAllocatorEnable
      writeBufferHighWaterMark writeBufferLowWaterMark clientSocketSndBufSize clientSocketRcvBufSize
      clientPooledByteBufAllocatorEnable clientCloseSocketIfTimeout connectTimeoutMillis
      channelNotActiveInterval isScanAvailableNameSrv clientChannelMaxIdleTimeSeconds
      maxReconnectIntervalTimeSeconds enableReconnectForGoAway
    `,
  ],
  [
    'a clean stop always finishes what is in flight and hands leadership over',
    'enableShutdownGracefully shutdownWaitTimeSeconds',
  ],
  [
    'where RocketMQ itself is installed',
    `
      rocketmqHome brokerConfigPath configBlackList isBrokerContainer isInBrokerContainer configName
      clusterName
    `,
  ],
  [
    'statistics and logs of RocketMQ that are not kept here',
    `
      commercialBaseCount commercialSizePerMsg accountStatsEnable accountStatsPrintZeroValues
      maxStatsIdleTimeInMinutes enableDetailStat autoDeleteUnusedStats isolateLogEnable
      enableScheduleMessageStats printChannelGroups printChannelGroupsMinNum estimateAccumulation
      enablePopLog popConsumerKVServiceLog timerProgressLogIntervalMs timerMetricSmallThreshold
    `,
  ],
  [
    'registration is one small request per name server, sent when something changed and every registerNameServerPeriod',
    `
      compressedRegister forceRegister enableSingleTopicRegister enableSplitRegistration
      splitRegistrationSize enableSplitMetadata splitMetadataSize updateNameServerAddrPeriod
      fetchNamesrvAddrInterval loadBalancePollNameServerInterval cleanOfflineBrokerInterval
    `,
  ],
  ['forwarding has forwardWithinMs', 'forwardTimeout'],
  [
    'timers are an index on disk that is derived from the log, not a wheel: they are due to the millisecond',
    `
      timerPrecisionMs timerRollWindowSlot timerFlushIntervalMs timerEnableCheckMetrics timerCheckMetricsWhen
      timerSkipUnknownError timerWarmEnable timerEnableRetryUntilSuccess timerCongestNumEachSlot
      mappedFileSizeTimerLog timerColdDataCheckIntervalMs allowRecallWhenBrokerNotWriteable
    `,
  ],
  [
    'what is due is delivered in entries of many messages, in the order of the level',
    'enableScheduleAsyncDeliver scheduleAsyncDeliverMaxPendingLimit scheduleAsyncDeliverMaxResendNum2Blocked',
  ],
  [
    'ends of transactions that arrive together share an entry of the log',
    'transactionOpMsgMaxSize transactionOpBatchInterval transactionMetricFlushInterval',
  ],
  [
    'one limit for all pulls, whether their messages are in memory or not: maxTransferBytesOnMessageInMemory and maxTransferCountOnMessageInMemory',
    'maxTransferBytesOnMessageInDisk maxTransferCountOnMessageInDisk',
  ],
]

/**
 * Keys that would change what the broker does, and do not: `key=value of RocketMQ's default`. That value says nothing;
 * any other is answered with a warning.
 */
export const unsupported: readonly (readonly [why: string, defaults: string])[] = [
  [
    'no access control yet: anybody who reaches the port may do everything',
    `
      aclEnable=false authenticationEnabled=false authorizationEnabled=false authConfigPath=
      authenticationProvider= authenticationMetadataProvider= authenticationStrategy=
      authenticationWhitelist= initAuthenticationUser= innerClientAuthenticationCredentials=
      authorizationProvider= authorizationMetadataProvider= authorizationStrategy= authorizationWhitelist=
      migrateAuthFromV1Enabled=false userCacheMaxNum=1000 userCacheExpiredSecond=600
      userCacheRefreshSecond=60 aclCacheMaxNum=1000 aclCacheExpiredSecond=600 aclCacheRefreshSecond=60
      statefulAuthenticationCacheMaxNum=10000 statefulAuthenticationCacheExpiredSecond=60
      statefulAuthorizationCacheMaxNum=10000 statefulAuthorizationCacheExpiredSecond=60
    `,
  ],
  ['no TLS yet, and no SOCKS proxy', 'useTLS=false socksProxyConfig={}'],
  [
    'groups elect by Raft: no controller and no acting master',
    `
      enableControllerMode=false enableSlaveActingMaster=false enableRemoteEscape=false
      lockInStrictMode=false
    `,
  ],
  ['one store only', 'storeType=default messageStorePlugIn= readOnlyCommitLogStorePaths= highSpeedMode=false'],
  ['name servers are named in namesrvAddr', 'fetchNameSrvAddrByDnsLookup=false fetchNamesrvAddrByAddressServer=false'],
  [
    'pops are rows of the log (docs/decisions/0009): nothing of them is buffered, polled for or revived apart from it',
    `
      popPollingSize=1024 popPollingMapSize=100000 popPollingMapExpireTimeSeconds=600
      maxPopPollingSize=100000 reviveInterval=1000 reviveMaxSlow=3 reviveScanTime=10000
      enableSkipLongAwaitingAck=false reviveAckWaitMs=180000 enablePopBufferMerge=false
      popCkStayBufferTime=10000 popCkStayBufferTimeOut=3000 popCkMaxBufferSize=200000
      popCkOffsetMaxQueueSize=20000 enablePopBatchAck=false popLongPollingForceNotifyInterval=800
      enableNotifyBeforePopCalculateLag=true enableNotifyAfterPopOrderLockRelease=true
      initPopOffsetByCheckMsgInMem=true retrieveMessageFromPopRetryTopicV1=true
      popFromRetryProbability=20 popConsumerFSServiceInit=true popConsumerKVServiceInit=false
      popConsumerKVServiceEnable=false popReviveMaxReturnSizePerRead=16384 popReviveMaxAttemptTimes=16
      popResponseReturnActualRetryTopic=false
      enablePopMessageThreshold=false skipWhenCKRePutReachMaxTimes=false appendAckAsync=false
      appendCkAsync=false serverLoadBalancerEnable=true defaultMessageRequestMode=PULL
      defaultPopShareQueueNum=-1
    `,
  ],
  [
    'there is no timer wheel to be stopped, or to take delay levels over',
    'timerInterceptDelayLevel=false timerStopEnqueue=false timerStopDequeue=false disappearTimeAfterStart=-1',
  ],
  [
    'SQL filters look at every message: no bit maps of filters are kept',
    `
      enableCalcFilterBitMap=false expectConsumerNumUseFilter=32
      maxErrorRateOfBloomFilter=20 filterDataCleanTimeSpan=86400000 filterSupportRetry=false
      enableConsumeQueueExt=false mappedFileSizeConsumeQueueExt=50331648 bitMapLengthConsumeQueueExt=64
      maxFilterMessageSize=16000
    `,
  ],
  [
    'no compacted topics yet',
    `
      enableCompaction=true compactionMappedFileSize=104857600 compactionCqMappedFileSize=10485760
      compactionScheduleInternal=900000 maxOffsetMapSize=104857600
    `,
  ],
  ['no light queues yet', 'enableLmq=false enableMultiDispatch=false maxLmqConsumeQueueNum=20000 enableLmqStats=false'],
  [
    'no metrics exporter yet',
    `
      metricsExporterType=DISABLE metricsOtelCardinalityLimit=50000 metricsGrpcExporterTarget=
      metricsGrpcExporterHeader= metricGrpcExporterTimeOutInMills=3000
      metricGrpcExporterIntervalInMills=60000 metricLoggingExporterIntervalInMills=10000
      metricsPromExporterPort=5557 metricsPromExporterHost= metricsLabel= metricsInDelta=false
      enableRemotingMetrics=true enableMessageStoreMetrics=true enablePopMetrics=true
      enableConnectionMetrics=true enableTransactionMetrics=true enableStatsMetrics=true
      enableRequestMetrics=true enableLagAndDlqMetrics=true
    `,
  ],
  [
    'cold reads are not throttled',
    `
      coldCtrStrategyEnable=false usePIDColdCtrStrategy=true cgColdReadThreshold=3145728
      globalColdReadThreshold=104857600 coldDataFlowControlEnable=false coldDataScanEnable=false
      enableNetWorkFlowControl=false disableConsumeIfConsumerReadSlowly=false
      consumerFallbehindThreshold=17179869184
    `,
  ],
  [
    'only what RocketMQ does by default is done',
    `
      startAcceptSendRequestTimeStamp=0 traceOn=true regionId=DefaultRegion rejectPullConsumerEnable=false
      realTimeNotifyConsumerChange=true
      validateSystemTopicWhenUpdateTopic=true useStaticSubscription=false
      subscriptionExpiredTimeout=600000 clearRetryTopicWhenDeleteTopic=true
      enableRegisterProducer=true enableCreateSysGroup=true enableBroadcastOffsetStore=true
      broadcastOffsetExpireSecond=120 broadcastOffsetExpireMaxSecond=300 maxMsgsNumBatch=64
      maxTopicLength=127 autoMessageVersionOnTopicLen=true enabledAppendPropCRC=false
      forceVerifyPropCRC=false enableCleanExpiredOffset=false pullBatchMaxMessageCount=160
    `,
  ],
]
