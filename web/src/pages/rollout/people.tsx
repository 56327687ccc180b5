import { useTranslation } from 'react-i18next'
import type { Approvals } from '../../api/schema'
import { Mark } from '../../parts/marks'
import { Sheet } from '../../parts/page'
import { When } from '../../parts/time'

/** Who has to agree before it begins, and who did. */
export function Agreement({ approvals }: { approvals: Approvals }) {
  const { t } = useTranslation()
  const { needed, from, given } = approvals
  const enough = given.length >= needed
  return (
    <Sheet title={t('rollout:approvals.title')} extra={<Mark tone={enough ? 'good' : 'warn'}>{t('rollout:approvals.count', { given: given.length, needed })}</Mark>}>
      <p className="quiet">{from.length ? t('rollout:approvals.from', { who: from.join(', ') }) : t('rollout:approvals.anyone')}</p>
      {given.length > 0 && (
        <ul className="approvals">
          {given.map((one) => (
            <li key={one.by}>
              <Mark tone="good">{one.by}</Mark> <When at={one.at} />
              {one.note && <span className="quiet"> – {one.note}</span>}
            </li>
          ))}
        </ul>
      )}
    </Sheet>
  )
}
