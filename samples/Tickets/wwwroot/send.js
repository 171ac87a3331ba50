// The part of the link after # is not sent to servers and not logged. Another page may have created it, so only the URL of photos of this app is used.
const url = new URL(location.hash.slice(1) || '/', location.origin);
if (url.origin === location.origin && url.pathname === '/photos' && url.searchParams.has('ticket')) {
  const element = document.createElement('resumable-upload');
  element.setAttribute('url', url.href);
  element.setAttribute('accept', 'image/*');
  element.setAttribute('max-files', '1');
  document.querySelector('main').append(element);
} else {
  document.getElementById('note').textContent = 'The link is not complete.';
}
