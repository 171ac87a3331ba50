/**
 * The English texts. `{name}` is replaced by a value. `|` separates the singular and the plural of a text with `{n}`.
 */
export const en = {
  drop: 'Drop files here',
  dropNow: 'Drop to upload',
  choose: 'Choose files',
  chooseFolder: 'Choose a folder',
  takePhoto: 'Take a photo',
  add: 'Add files',
  maxSize: 'Up to {size} per file',
  maxFiles: '{n} file|Up to {n} files',
  tooMany: 'Only {n} file is allowed|Only {n} files are allowed',
  files: 'Files',

  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel',
  remove: 'Remove',
  retry: 'Retry',
  signIn: 'Sign in',
  chooseAgain: 'Choose file',
  continueHere: 'Continue here',
  retryAll: 'Retry failed',
  clear: 'Clear',
  showFinished: '{n} uploaded file|{n} uploaded files',

  idle: 'Waiting',
  preparing: 'Preparing',
  finishing: 'Finishing',
  waiting: 'Connection lost, trying again',
  offline: 'Offline, continues when you are online',
  paused: 'Paused',
  completed: 'Uploaded',
  alreadyCompleted: 'Already uploaded',
  unfinished: 'Not finished',
  pending: 'Not finished. Choose the file again to continue',
  otherFile: 'This is another file, or it has changed. Choose the original file',

  amount: '{offset} of {size}',
  timeLeft: '{time} left',
  uploadingAll: '{done} of {n} file uploaded|{done} of {n} files uploaded',
  completedAll: '{n} file uploaded|{n} files uploaded',
  failedAll: '{n} failed',
  added: '{n} file added|{n} files added',
  removed: '{name} removed',

  required: 'Choose a file.',
  wait: 'Wait until all files are uploaded.',
  fix: 'Some files were not uploaded. Retry or remove them.',

  'too-large': 'Too large',
  'type-refused': 'This type of file is not accepted',
  'signed-out': 'You are signed out',
  forbidden: 'You are not allowed to upload here',
  'taken-over': 'Continued in another tab or on another device',
  'file-changed': 'The file has changed',
  'file-unreadable': 'The file cannot be read. It may have been moved',
  quota: 'Your storage is full',
  'server-full': 'The server is full',
  'digest-mismatch': 'The file was damaged on its way',
  'handler-failed': 'The server could not process the file',
  rejected: 'The server rejected the file',
  gone: 'The upload has expired',
  network: 'The server cannot be reached',
  server: 'The server has a problem',
  unsupported: 'Uploads are not possible here',
};

export type TextKey = keyof typeof en;

export interface TextValues { n?: number; [name: string]: string | number | undefined; }

/** A text, or a function that returns it, for languages with more forms than singular and plural. */
export type Texts = Record<TextKey, string | ((values: TextValues) => string)>;
