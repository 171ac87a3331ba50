uploader.on(UPLOADER_EVENTS.ITEM_FINISH, () => report('success'));
uploader.on(UPLOADER_EVENTS.ITEM_ERROR, ({ uploadStatus }) => report(`error ${uploadStatus}`));
const start = upload;
