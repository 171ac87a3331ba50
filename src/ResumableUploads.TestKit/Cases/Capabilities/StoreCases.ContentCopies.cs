using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for stores that can copy content within their storage service.</content>
internal sealed partial class StoreCases
{
    private const string CopyName = "copies/copy.bin";

    [Case(0, Requires = StoreCapabilities.ContentCopies)]
    [Case(1, Requires = StoreCapabilities.ContentCopies)]
    [Case(3, Requires = StoreCapabilities.ContentCopies)]
    public async Task Copy_has_the_content_and_the_upload_stays(int blocks)
    {
        byte[] bytes = Bytes(blocks == 0 ? 0 : (blocks * BlockSize) + 100);
        UploadInfo info = await ReceiveAsync(bytes);
        CaseAssert.Equal(CopyStatus.Copied, await CopyAsync(info.Version));
        CaseAssert.Equal(bytes, await ReadCopyAsync());
        CaseAssert.Equal(info.Version, (await GetAsync()).Version);
        CaseAssert.Equal(bytes, await ReadContentAsync());
        await Store.DeleteAsync(Key, null, Token);
        CaseAssert.Equal(bytes, await ReadCopyAsync());
    }

    [Case(false, Requires = StoreCapabilities.ContentCopies)]
    [Case(true, Requires = StoreCapabilities.ContentCopies)]
    public async Task Copy_replaces_another_object_only_with_overwrite(bool overwrite)
    {
        UploadInfo first = await ReceiveAsync(Bytes(1000));
        CaseAssert.Equal(CopyStatus.Copied, await CopyAsync(first.Version));
        await Store.DeleteAsync(Key, null, Token);
        UploadInfo second = await ReceiveAsync(Bytes(1000, 2));
        CaseAssert.Equal(overwrite ? CopyStatus.Copied : CopyStatus.TargetExists, await CopyAsync(second.Version, overwrite));
        CaseAssert.Equal(Bytes(1000, overwrite ? 2 : 1), await ReadCopyAsync());
    }

    [Case(Requires = StoreCapabilities.ContentCopies)]
    public async Task Repeated_copy_of_the_same_upload_succeeds()
    {
        UploadInfo info = await ReceiveAsync(Bytes(1000));
        CaseAssert.Equal(CopyStatus.Copied, await CopyAsync(info.Version));
        CaseAssert.Equal(CopyStatus.Copied, await CopyAsync(info.Version));

        // The lease of the handler that repeats the call has changed the version.
        info = await UpdateStateAsync(UploadState.Received);
        CaseAssert.Equal(CopyStatus.Copied, await CopyAsync(info.Version));
        CaseAssert.Equal(Bytes(1000), await ReadCopyAsync());
    }

    [Case(Requires = StoreCapabilities.ContentCopies)]
    public async Task Copy_with_stale_version_copies_nothing()
    {
        UploadInfo stale = await ReceiveAsync(Bytes(10));
        await UpdateStateAsync(UploadState.Received);
        CaseAssert.Equal(CopyStatus.VersionMismatch, await CopyAsync(stale.Version));
        CaseAssert.Null(await ReadCopyAsync());
    }

    [Case(Requires = StoreCapabilities.ContentCopies)]
    public async Task Copy_of_a_receiving_upload_returns_Busy()
    {
        UploadInfo info = await CreateWithContentAsync(Bytes(10));
        CaseAssert.Equal(CopyStatus.Busy, await CopyAsync(info.Version));
        CaseAssert.Null(await ReadCopyAsync());
    }

    [Case(Requires = StoreCapabilities.ContentCopies)]
    public async Task Copy_of_a_missing_upload_returns_NotFound()
    {
        CaseAssert.Equal(CopyStatus.NotFound, await CopyAsync("none"));
        CaseAssert.Null(await ReadCopyAsync());
    }

    private async Task<UploadInfo> ReceiveAsync(byte[] bytes)
    {
        await CreateWithContentAsync(bytes);
        return await UpdateStateAsync(UploadState.Received);
    }

    private async Task<CopyStatus> CopyAsync(string version, bool overwrite = false)
    {
        IContentCopier copier = CaseAssert.RequireNotNull(Store.GetCapability<IContentCopier>());
        return await copier.CopyContentAsync(Key, version, CaseAssert.RequireNotNull(_fixture.CopyContainer), CopyName, overwrite, Token);
    }

    private async Task<byte[]?> ReadCopyAsync() => await _fixture.ReadCopyAsync(CopyName, Token);
}
