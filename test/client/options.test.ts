import { expect, test } from 'vitest'
import { Admin } from '../../src/client/admin/admin.ts'
import { PullConsumer } from '../../src/client/consumer/pull-consumer.ts'
import { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import { PopConsumer } from '../../src/client/pop/pop-consumer.ts'
import { Producer } from '../../src/client/producer/producer.ts'
import { TransactionProducer } from '../../src/client/producer/transaction-producer.ts'

/** As a program calls it that is not written in TypeScript: with whatever it has. */
function constructed(client: unknown, options: unknown): () => unknown {
  return () => Reflect.construct(Object(client), [options])
}

async function called(of: object, method: string, ...given: readonly unknown[]): Promise<void> {
  const run: unknown = Reflect.get(of, method)
  if (typeof run === 'function') await Reflect.apply(run, of, given)
}

function option(message: string): object {
  return expect.objectContaining({ code: 'CLIENT_OPTION', message })
}

const namesrv = '127.0.0.1:1'
const group = 'g'
const check = (): string => 'commit'
const handler = (): void => undefined

test.each([
  ['Producer', Producer, { namesrv, sendTimeout: 1 }, 'a producer has no sendTimeout; did you mean sendTimeoutMs?'],
  ['Producer', Producer, { namesrv, batch: { maxMessage: 1 } }, 'batch has no maxMessage; did you mean maxMessages?'],
  ['Producer', Producer, { namesrv, batch: true }, 'batch takes an object, not true'],
  ['Producer', Producer, { namesrvAddr: namesrv }, 'a producer has no namesrvAddr; did you mean namesrv?'],
  ['Producer', Producer, {}, 'namesrv: no address given'],
  ['Producer', Producer, undefined, 'a producer takes an object, not undefined'],
  ['Producer', Producer, { namesrv: 9876 }, 'namesrv: that is neither text nor a list of texts'],
  ['Producer', Producer, { namesrv, group: 7 }, 'group: 7 is no text'],
  ['TransactionProducer', TransactionProducer, { namesrv, group }, 'check: that is no function'],
  ['TransactionProducer', TransactionProducer, { namesrv, check }, 'group: undefined is no text'],
  [
    'TransactionProducer',
    TransactionProducer,
    { namesrv, group, check, checks: 1 },
    'a transaction producer has no checks; did you mean check?',
  ],
  ['PushConsumer', PushConsumer, { namesrv }, 'group: undefined is no text'],
  [
    'PushConsumer',
    PushConsumer,
    { namesrv, group, order: true },
    'a push consumer has no order; did you mean ordered?',
  ],
  ['PullConsumer', PullConsumer, { namesrv, group, ordered: true }, 'a pull consumer has no ordered'],
  ['PullConsumer', PullConsumer, undefined, 'a pull consumer takes an object, not undefined'],
  [
    'PopConsumer',
    PopConsumer,
    { namesrv, group, invisible: 1 },
    'a POP consumer has no invisible; did you mean invisibleMs?',
  ],
  ['PopConsumer', PopConsumer, { namesrv }, 'group: undefined is no text'],
  ['Admin', Admin, { namesrv, group }, 'an admin client has no group'],
])('new %s(…) tells what is wrong with its options: %#', (_, client, options, message) => {
  expect(constructed(client, options)).toThrowError(expect.objectContaining({ code: 'CLIENT_OPTION', message }))
})

test('every client takes the options of its type', () => {
  for (const one of [
    () => new Producer({ namesrv, group, batch: { maxMessages: 2, lingerMs: 1 }, instanceName: 'a', trace: true }),
    () => new TransactionProducer({ namesrv: [namesrv], group, check: () => 'commit', retries: 1 }),
    () => new PushConsumer({ namesrv, group, from: new Date(0), ordered: true, retryPauseMs: 10, checkCrc: false }),
    () => new PullConsumer({ namesrv, group, autoCommit: false, pollBatch: 3, offsetFile: 'x' }),
    () => new PopConsumer({ namesrv, group, invisibleMs: 1000, pollMs: 0, popBatch: 1 }),
    () => new Admin({ namesrv, openTelemetry: false, connectTimeoutMs: 10 }),
  ]) {
    expect(one).not.toThrow()
  }
})

test('what a consumer is given later is looked at as well', async () => {
  const push = new PushConsumer({ namesrv, group })
  const pop = new PopConsumer({ namesrv, group })
  const pull = new PullConsumer({ namesrv, group })
  for (const consumer of [push, pop, pull]) {
    await expect(called(consumer, 'subscribe')).rejects.toMatchObject({
      code: 'CLIENT_MESSAGE_ILLEGAL',
      message: 'topic: undefined is no text',
    })
    for (const filter of [7, null, { tag: 'a' }]) {
      const fault = option("filter of T: that is neither text nor sql('…')")
      await expect(called(consumer, 'subscribe', 'T', filter)).rejects.toEqual(fault)
    }
  }
  for (const consumer of [push, pop]) {
    await expect(called(consumer, 'run')).rejects.toEqual(option('handler: that is no function'))
    const told = option('run has no signals; did you mean signal?')
    await expect(called(consumer, 'run', handler, { signals: 1 })).rejects.toEqual(told)
    await expect(called(consumer, 'run', handler, { signal: 1 })).rejects.toEqual(option('signal: no AbortSignal'))
  }
  const poll = called(pull, 'poll', { timeout: 1 })
  await expect(poll).rejects.toEqual(option('poll has no timeout; did you mean timeoutMs?'))
})
