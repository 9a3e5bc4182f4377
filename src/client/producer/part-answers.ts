/** Reads the answer to a request of many parts: for each, what a send of its own would have been answered. */
import { errorMessage } from '../../lib/errors.ts'
import { decodeOffsetMessageId } from '../../message/message-id.ts'
import { offsetMessageIds } from '../../message/offset-message-ids.ts'
import { decodePartAnswers, type PartAnswer } from '../../message/send-parts.ts'
import { ResponseCode } from '../../remoting/codes.ts'
import type { RemotingCommand } from '../../remoting/command.ts'
import type { SendAnswer } from './send-answer.ts'

const NO_OFFSET = '0'.repeat(16)

/** The answer to each of the `count` parts. One that cannot be read leaves all of them undecided. */
export function partAnswers(answer: RemotingCommand, count: number): (part: number) => SendAnswer {
  if (answer.code !== ResponseCode.SUCCESS) {
    const all = refused(answer.code, answer.remark ?? '')
    return () => all
  }
  let answers: readonly PartAnswer[]
  let idOf: (offset: number) => string
  try {
    answers = decodePartAnswers(answer.body, count)
    idOf = offsetMessageIds(decodeOffsetMessageId(`${answer.fields.get('storeHost') ?? ''}${NO_OFFSET}`).storeHost)
  } catch (error) {
    const all = refused(ResponseCode.SYSTEM_ERROR, errorMessage(error))
    return () => all
  }
  return (part) => {
    const one = answers[part] ?? { code: ResponseCode.SYSTEM_ERROR, remark: 'no answer' }
    if ('remark' in one) return refused(one.code, one.remark)
    return {
      code: one.code,
      remark: undefined,
      offsetMessageId: one.offsets.length === 1 ? idOf(one.offsets[0] ?? 0) : one.offsets.map(idOf).join(','),
      queueId: one.queueId,
      queueOffset: one.queueOffset,
      recallHandle: undefined,
    }
  }
}

function refused(code: number, remark: string): SendAnswer {
  return {
    code,
    remark,
    offsetMessageId: '',
    queueId: Number.NaN,
    queueOffset: Number.NaN,
    recallHandle: undefined,
  }
}
