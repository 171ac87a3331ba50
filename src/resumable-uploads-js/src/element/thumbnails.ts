const maxSize = 30_000_000;

/** Shows images as thumbnails while they are visible. Object URLs are revoked as soon as the image is loaded. */
export class Thumbnails {
  readonly #pending = new Map<Element, Blob>();
  readonly #observer = new IntersectionObserver(entries => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        this.#load(target as HTMLElement);
      }
    }
  }, { rootMargin: '100px' });

  /** Shows a thumbnail in an element if the file is an image that is not too large. */
  add(box: HTMLElement, file: Blob): void {
    if (/^image\/(?!hei[cf]|tiff)/.test(file.type) && file.size <= maxSize) {
      this.#pending.set(box, file);
      this.#observer.observe(box);
    }
  }

  remove(box: HTMLElement): void {
    this.#pending.delete(box);
    this.#observer.unobserve(box);
  }

  async #load(box: HTMLElement): Promise<void> {
    const file = this.#pending.get(box);
    this.remove(box);
    if (file === undefined) {
      return;
    }

    const image = new Image();
    image.alt = '';
    image.src = URL.createObjectURL(file);
    try {
      await image.decode();
      box.append(image);
      box.toggleAttribute('data-image', true);
    } catch {
      // The file is no image that the browser can show, or the page's policy forbids blob: images. The type of the file stays visible.
    } finally {
      URL.revokeObjectURL(image.src);
    }
  }
}
