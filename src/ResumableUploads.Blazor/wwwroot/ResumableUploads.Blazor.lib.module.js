// Blazor imports this file in each app that references the package. It loads the element for pages without interactivity,
// on which no component calls JavaScript.

/** Called after blazor.web.js has started. */
export function afterWebStarted(blazor) {
  const load = () => {
    if (document.querySelector('resumable-upload:not(:defined)')) {
      void import('./resumable-uploads-element.js');
    }
  };
  load();
  blazor.addEventListener('enhancedload', load);
}
