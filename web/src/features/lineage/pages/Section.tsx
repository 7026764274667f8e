import type { ReactNode } from "react";
import "../entity.css";

/** A titled box on an overview page. */
export function Section({ title, wide = false, flush = false, children }: { title: string; wide?: boolean; flush?: boolean; children: ReactNode }) {
  return (
    <section className={wide ? "section wide" : "section"} aria-label={title}>
      <h2>{title}</h2>
      {flush ? children : <div className="section-body">{children}</div>}
    </section>
  );
}

/** A list of facts; those without a value are left out. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) =>
        value === null || value === undefined || value === "" ? null : (
          <FactRow key={name} name={name}>
            {value}
          </FactRow>
        ),
      )}
    </dl>
  );
}

function FactRow({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
