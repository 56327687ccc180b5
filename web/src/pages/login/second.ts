import { isRefused } from '../../api/problem'

/** All was right so far: the account has a second factor, and no code of it was sent. */
export const asksSecondFactor = (error: unknown): boolean => isRefused(error) && error.problem.code === 'TW-AUTH-014'
