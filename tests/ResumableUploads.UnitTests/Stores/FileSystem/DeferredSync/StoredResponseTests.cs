using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.DeferredSync;

/// <summary>Responses that are stored together with the record.</summary>
public sealed class StoredResponseTests : DeferredSyncTest
{
    private const int Max = RecordCodec.MaxResponseLength;

    public static TheoryData<int, bool> Lengths => new() { { 0, false }, { 1, false }, { Max, false }, { Max + 1, true }, { 1024 * 1024, true } };

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Complete_stores_record_and_response(int length, bool isFile)
    {
        UploadInfo info = await ReceiveDeferredAsync();
        UploadInfo completed = await CompleteAsync(info, Bytes(length));
        Assert.Equal(isFile ? ["RANDOM.outcome"] : [], ExtraFiles);
        Assert.Equal(isFile ? [.. RecordAndAncestors[..3], "owner/up/upload-1/outcome", .. RecordAndAncestors[3..]] : RecordAndAncestors, Syncs);
        Assert.Equal(RecordAndAncestors, Assert.Single(Groups));

        Clear();
        Assert.Equal(Bytes(length), await GetResponseAsync());
        Assert.Equal((completed.Version, UploadState.Completed), ((await GetAsync(Store)).Version, (await GetAsync(Store)).State));
        Assert.Empty(Syncs);
        Assert.Equal(Bytes(length), await GetResponseAsync(NewStore()));
        Assert.Equal(Bytes(100), await ReadAsync(Store));
    }

    [Theory]
    [InlineData(10, 20)]
    [InlineData(10, Max + 1)]
    [InlineData(Max + 1, 20)]
    [InlineData(Max + 1, Max + 2)]
    public async Task Complete_replaces_the_response_of_an_earlier_run(int earlier, int later)
    {
        UploadInfo info = await ReceiveDeferredAsync();
        info = await CompleteAsync(info, Bytes(earlier));
        info = await CompleteAsync(info, Bytes(later, seed: 2));
        Assert.Equal(Bytes(later, seed: 2), await GetResponseAsync());

        info = await CompleteAsync(info, Bytes(earlier));
        Assert.Equal(Bytes(earlier), await GetResponseAsync());
        await CompleteAsync(info, Bytes(later, seed: 2));
        Assert.Equal(Bytes(later, seed: 2), await GetResponseAsync());
        Assert.Equal(later > Max ? ["RANDOM.outcome"] : [], ExtraFiles);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(Max + 1)]
    public async Task Later_changes_leave_the_response_unchanged(int length)
    {
        UploadInfo info = await CompleteAsync(await ReceiveDeferredAsync(), Bytes(length));
        info = (await Store.UpdateAsync(Key, info.Version, Completed, None)).Info!;
        info = (await Store.UpdateDeferredAsync(Key, info.Version, Completed, None)).Info!;
        Assert.Equal(Bytes(length), await GetResponseAsync());
        Assert.Equal(MoveStatus.Moved, (await Store.MoveContentAsync(Key, info.Version, Path.Combine(Root, "moved"), overwrite: false, None)).Status);
        Assert.Equal(Bytes(length), await GetResponseAsync());
    }

    /// <summary>A crash between two changes of an earlier build leaves the file: it stored every response in a file, before the record.</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(Max + 1)]
    public async Task Response_without_a_completed_record_is_not_returned_and_is_replaced(int length)
    {
        UploadInfo info = await ReceiveDeferredAsync();
        File.WriteAllBytes(Path.Combine(UploadDirectory, "outcome"), Bytes(20, seed: 3));
        Assert.Null(await GetResponseAsync());
        await CompleteAsync(info, Bytes(length));
        Assert.Equal(Bytes(length), await GetResponseAsync());
        Assert.Equal(length > Max ? ["RANDOM.outcome", "outcome"] : ["outcome"], ExtraFiles);
    }

    [Fact]
    public async Task Response_that_an_older_version_stored_in_a_file_is_returned()
    {
        UploadInfo info = await CompleteAsync(await ReceiveDeferredAsync(), Bytes(20));
        StoredRecord stored = RecordCodec.Decode(File.ReadAllBytes(RecordPath)).Record!;
        File.WriteAllBytes(RecordPath, RecordCodec.Encode(stored with { Response = null, ResponseFileName = StorePaths.LegacyResponseFileName }).Span);
        Assert.DoesNotContain("responseFile", File.ReadAllText(RecordPath), StringComparison.Ordinal);
        File.WriteAllBytes(ResponsePath, Bytes(20));
        Assert.Equal(Bytes(20), await GetResponseAsync());

        // The record is written once more, by this build.
        Assert.Equal(ChangeStatus.Succeeded, (await Store.UpdateAsync(Key, info.Version, Completed, None)).Status);
        Assert.Equal(Bytes(20), await GetResponseAsync());
    }

    [Fact]
    public async Task Failed_sync_leaves_neither_the_record_nor_a_short_response()
    {
        UploadInfo before = await ReceiveAsync(Store, Bytes(100));
        Disk.Before = static (step, path) =>
        {
            if (step == "sync" && path.Contains("record.json", StringComparison.Ordinal))
            {
                throw FaultyFiles.Error(5);
            }
        };
        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(async () => await Store.CompleteAsync(Key, before.Version, Completed, Bytes(10), None));
        Assert.Equal(100, error.DurableOffset);
        Disk.Before = null;
        Assert.Equal((before.Version, UploadState.Received), ((await GetAsync(Store)).Version, (await GetAsync(Store)).State));
        Assert.Null(await GetResponseAsync());
    }

    [Theory]
    [InlineData(10)]
    [InlineData(Max + 1)]
    public async Task Complete_of_an_upload_that_is_deleted_meanwhile_returns_NotFound(int length)
    {
        UploadInfo info = await ReceiveDeferredAsync();
        void Delete(string step, string path)
        {
            if (step == "replace" && Directory.Exists(UploadDirectory))
            {
                Directory.Delete(UploadDirectory, recursive: true);
            }
        }

        Disk.Before = Delete;
        Assert.Equal(new UpdateResult(ChangeStatus.NotFound, null), await Store.CompleteAsync(Key, info.Version, Completed, Bytes(length), None));
        Disk.Before = null;
        Assert.Null(await GetResponseAsync());
    }

    [Fact]
    public async Task Response_of_more_than_1_MiB_throws()
    {
        UploadInfo info = await ReceiveDeferredAsync();
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.CompleteAsync(Key, info.Version, Completed, new byte[(1024 * 1024) + 1], None));
        Assert.Equal(info.Version, (await GetAsync(Store)).Version);
    }

    [Fact]
    public async Task State_cannot_be_changed_back()
    {
        UploadInfo info = await CompleteAsync(await ReceiveDeferredAsync(), Bytes(10));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.UpdateDeferredAsync(Key, info.Version, Received(1), None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.CompleteAsync(Key, info.Version, Received(1), Bytes(20), None));
        Assert.Equal(info.Version, (await GetAsync(Store)).Version);
        Assert.Equal(Bytes(10), await GetResponseAsync());
    }

    [Fact]
    public async Task Damaged_response_in_the_record_is_detected()
    {
        await CompleteAsync(await ReceiveDeferredAsync(), Bytes(10));
        byte[] record = File.ReadAllBytes(RecordPath);
        record[^1] ^= 1;
        File.WriteAllBytes(RecordPath, record);
        Assert.Null(await GetResponseAsync());
        Assert.Contains(Logs.Lines, static line => line.Id == 100 && line.Text.Contains("response", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(Max)]
    public void Decode_returns_the_encoded_response(int length)
    {
        StoredRecord stored = CreateRecord(Bytes(length));
        StoredRecord? read = RecordCodec.Decode(RecordCodec.Encode(stored).Span).Record;
        Assert.NotNull(read);
        Assert.Equal(Bytes(length), read.Response!.Value.ToArray());
        Assert.Equal(stored.Record.Data.ToArray(), read.Record.Data.ToArray());
        Assert.Equal(stored, read with { Record = stored.Record, Response = stored.Response });
    }

    [Fact]
    public void Decode_with_damage_in_the_response_returns_no_record()
    {
        byte[] bytes = RecordCodec.Encode(CreateRecord(Bytes(10))).ToArray();
        for (int i = bytes.Length - 10; i < bytes.Length; i++)
        {
            byte[] changed = [.. bytes];
            changed[i] ^= 1;
            Assert.Equal("the response in the record does not match its digest", RecordCodec.Decode(changed).DamageReason);
            Assert.Equal("the response in the record does not have the expected length", RecordCodec.Decode(bytes.AsSpan(0, i)).DamageReason);
        }

        Assert.Equal("the response in the record does not have the expected length", RecordCodec.Decode([.. bytes, 0]).DamageReason);
        Assert.Equal("the data of the record does not have the expected length", RecordCodec.Decode(bytes.AsSpan(0, bytes.Length - 11)).DamageReason);
    }

    private StoredRecord CreateRecord(byte[] response) => new()
    {
        Nonce = "n",
        Record = new UploadRecord { Data = "data"u8.ToArray() },
        LastUpdated = Time.GetUtcNow(),
        Durability = Durability.PowerLoss,
        CreationBootId = "b",
        Response = response,
    };
}
