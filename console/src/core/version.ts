/** Whether the platform serves newer pages than those that run. Knows how a page is served. */

export class Version {
  private first: string | null = null;
  private isNew = false;

  /** Compare what is served with what was served at the first look. Whoever cannot tell says no. */
  async look(): Promise<boolean> {
    const served = await fetch("/", { method: "HEAD", cache: "no-store" })
      .then((answer) => (answer.ok ? answer.headers.get("etag") : null))
      .catch(() => null);
    this.first ??= served;
    this.isNew ||= served !== null && served !== this.first;
    return this.isNew;
  }
}
