using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.Memory;

/// <summary>What a change of an upload costs, and what a canceled change leaves.</summary>
public sealed class MemoryStoreChangeTests : IDisposable
{
    private static readonly UploadKey Key = new("owner", "upload");

    private readonly MemoryUploadStore _store = new(1024 * 1024);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _store.Dispose();
        Assert.Equal(0, _store.UsedSize);
    }

    [Fact]
    public async Task Canceled_staged_append_is_not_committed()
    {
        using var cancellation = new CancellationTokenSource();
        await _store.CreateAsync(Key, new UploadRecord(), Token);
        var content = new RecordingContent
        {
            CommitDecision = async () =>
            {
                await cancellation.CancelAsync();
                return true;
            },
        };
        content.Send(new byte[10]);
        content.Complete();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await _store.AppendAsync(Key, 0, content, AppendMode.AllOrNothing, cancellation.Token));
        Assert.Equal(0, (await _store.GetAsync(Key, Token))!.Offset);
    }

    [Fact]
    public async Task Every_change_of_an_upload_changes_the_used_size_by_its_cost()
    {
        UploadKey other = new("owner", "other");
        await _store.CreateAsync(Key, new UploadRecord(), Token);
        long empty = _store.UsedSize;
        UploadInfo info = (await _store.GetAsync(Key, Token))!;
        await _store.UpdateAsync(Key, info.Version, info.Record with { Data = new byte[500] }, Token);
        await _store.CompleteAsync(Key, new byte[300]);
        Assert.Equal(empty + 800, _store.UsedSize);
        info = await _store.CompleteAsync(Key, new byte[100]);
        Assert.Equal(empty + 600, _store.UsedSize);
        Assert.Equal(CreateStatus.AlreadyExists, (await _store.CreateAsync(Key, new UploadRecord(), Token)).Status);
        Assert.Equal(empty + 600, _store.UsedSize);

        await _store.CreateAsync(other, new UploadRecord(), Token);
        UploadInfo replacement = (await _store.GetAsync(other, Token))!;
        Assert.Equal(ChangeStatus.Succeeded, (await _store.ReplaceAsync(Key, info.Version, other, replacement.Version, Token)).Status);
        Assert.Equal(empty, _store.UsedSize);
        await _store.DeleteAsync(Key, null, Token);
        Assert.Equal(0, _store.UsedSize);
    }

    [Fact]
    public async Task Replacement_releases_the_content_and_gets_a_new_version()
    {
        UploadKey other = new("owner", "other");
        UploadInfo info = (await _store.CreateAsync(Key, new UploadRecord(), Token)).Info!;
        string changed = (await _store.UpdateAsync(Key, info.Version, info.Record, Token)).Info!.Version;
        UploadInfo replacement = (await _store.CreateAsync(other, new UploadRecord(), Token)).Info!;
        UpdateResult result = await _store.ReplaceAsync(Key, changed, other, replacement.Version, Token);
        Assert.NotEqual(changed, result.Info!.Version);

        long empty = _store.UsedSize;
        var content = new RecordingContent();
        content.Send(new byte[10_000]);
        content.Complete();
        string appended = (await _store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token)).Version!;
        replacement = (await _store.CreateAsync(other, new UploadRecord(), Token)).Info!;
        Assert.Equal(ChangeStatus.Succeeded, (await _store.ReplaceAsync(Key, appended, other, replacement.Version, Token)).Status);
        Assert.Equal(empty, _store.UsedSize);
        await _store.DeleteAsync(Key, null, Token);
    }

    [Fact]
    public async Task Record_does_not_share_the_memory_of_the_caller()
    {
        byte[] data = [1, 2, 3];
        UploadInfo info = (await _store.CreateAsync(Key, new UploadRecord { Data = data }, Token)).Info!;
        data[0] = 9;
        Assert.Equal([1, 2, 3], (await _store.GetAsync(Key, Token))!.Record.Data.ToArray());
        data = [4, 5];
        await _store.UpdateAsync(Key, info.Version, info.Record with { Data = data }, Token);
        data[0] = 9;
        Assert.Equal([4, 5], (await _store.GetAsync(Key, Token))!.Record.Data.ToArray());
        await _store.DeleteAsync(Key, null, Token);
    }
}
