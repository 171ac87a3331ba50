using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case(UploadState.Received, Requires = StoreCapabilities.SingleRequests)]
    [Case(UploadState.Completed, Requires = StoreCapabilities.SingleRequests)]
    public async Task Create_completed_stores_the_record_and_all_bytes(UploadState state)
    {
        var record = new UploadRecord { State = state, Length = 5000, SlidingExpiration = TimeSpan.FromHours(1), Data = Bytes(77) };
        UploadInfo created = await CreateCompletedAsync(record, Bytes(5000));

        UploadInfo current = await GetAsync();
        CaseAssert.Equal((Key, state, 5000L), (created.Key, created.State, created.Offset));
        CaseAssert.Equal((created.Key, created.Version, created.Offset, created.LastModified), (current.Key, current.Version, current.Offset, current.LastModified));
        AssertIsNow(created.LastModified);
        AssertRecordsEqual(record, current.Record);
        CaseAssert.Equal(Bytes(5000), await ReadContentAsync());
        CaseAssert.Equal(new[] { Key }, await ListAsync());
    }

    [Case(Requires = StoreCapabilities.SingleRequests)]
    public async Task Create_completed_with_empty_content_stores_no_bytes()
    {
        CaseAssert.Equal(0, (await CreateCompletedAsync(CompletedRecord, [])).Offset);
        CaseAssert.Empty(await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.SingleRequests)]
    public async Task Create_completed_accepts_many_segments_and_maximum_length()
    {
        byte[] bytes = Bytes((int)Math.Min(SingleRequestStore.MaxCompletedLength, 1 << 20));
        CaseAssert.NotEmpty(bytes);
        CreateResult result = await SingleRequestStore.CreateCompletedAsync(Key, CompletedRecord, Segments.Create(bytes, 4096), Token);
        CaseAssert.Equal((CreateStatus.Created, (long)bytes.Length), (result.Status, result.Info?.Offset ?? 0));
        CaseAssert.Equal(bytes, await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.SingleRequests)]
    public async Task Create_completed_copies_content_and_data()
    {
        byte[] bytes = Bytes(100);
        byte[] data = Bytes(50);
        await CreateCompletedAsync(CompletedRecord with { Data = data }, bytes);
        bytes.AsSpan().Clear();
        data.AsSpan().Clear();
        CaseAssert.Equal(Bytes(100), await ReadContentAsync());
        CaseAssert.Equal(Bytes(50), (await GetAsync()).Record.Data.ToArray());
    }

    [Case(Requires = StoreCapabilities.SingleRequests)]
    public async Task Create_completed_in_receiving_state_throws()
    {
        await CaseAssert.ThrowsAsync<ArgumentException>(() => CreateCompletedAsync(new UploadRecord(), Bytes(10)));
        CaseAssert.Null(await Store.GetAsync(Key, Token));
    }

    [Case(Requires = StoreCapabilities.SingleRequests)]
    public async Task Create_completed_with_existing_key_returns_AlreadyExists()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        CreateResult result = await SingleRequestStore.CreateCompletedAsync(Key, CompletedRecord, new ReadOnlySequence<byte>(Bytes(20, 2)), Token);
        CaseAssert.Equal(new CreateResult(CreateStatus.AlreadyExists, null), result);
        CaseAssert.Equal(before.Version, (await GetAsync()).Version);
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.SingleRequests)]
    public async Task Concurrent_creates_of_both_kinds_succeed_once()
    {
        for (int round = 0; round < 10; round++)
        {
            var key = new UploadKey("owner", $"race-{round}");
            CreateResult[] results = await RunConcurrentlyAsync(8, async i => i % 2 == 0
                ? await Store.CreateAsync(key, new UploadRecord { Data = new[] { (byte)i } }, Token)
                : await SingleRequestStore.CreateCompletedAsync(key, CompletedRecord with { Data = new[] { (byte)i } }, new ReadOnlySequence<byte>(Bytes(100, i)), Token));

            CreateResult winner = CaseAssert.Single(results, result => result.Status == CreateStatus.Created);
            UploadInfo current = await GetAsync(key);
            CaseAssert.Equal((winner.Info!.Version, winner.Info.State), (current.Version, current.State));
            CaseAssert.Equal(winner.Info.State == UploadState.Receiving ? [] : Bytes(100, winner.Info.Record.Data.Span[0]), await ReadContentAsync(key));
        }
    }

    [Case(UploadState.Received, Requires = StoreCapabilities.SingleRequests)]
    [Case(UploadState.Completed, Requires = StoreCapabilities.SingleRequests)]
    public async Task Completed_upload_accepts_response_and_updates_but_no_append(UploadState state)
    {
        UploadInfo created = await CreateCompletedAsync(CompletedRecord with { State = state }, Bytes(100));
        RecordingContent content = RecordingContent.FromBytes(Bytes(10));
        CaseAssert.Equal(
            new AppendResult(AppendStatus.NotReceiving, 100, created.Version), await StartAppend(100, content).WaitAsync(CaseTimeout, Token));
        CaseAssert.Equal(0, content.ReadCount);

        UploadInfo completed = await CompleteAsync(Bytes(30));
        UpdateResult updated = await Store.UpdateAsync(Key, completed.Version, CompletedRecord with { Data = Bytes(9) }, Token);
        CaseAssert.Equal((ChangeStatus.Succeeded, UploadState.Completed, 100L), (updated.Status, updated.Info!.State, updated.Info.Offset));
        CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.UpdateAsync(Key, created.Version, CompletedRecord, Token)).Status);
        CaseAssert.Equal(Bytes(30), (await Store.GetResponseAsync(Key, Token))?.ToArray());
        CaseAssert.Equal(Bytes(100), await ReadContentAsync());
    }

    [Case(true, Requires = StoreCapabilities.SingleRequests)]
    [Case(false, Requires = StoreCapabilities.SingleRequests)]
    public async Task Completed_upload_can_be_deleted_and_created_again(bool isConditional)
    {
        UploadInfo first = await CreateCompletedAsync(CompletedRecord, Bytes(100));
        CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, first.Version + "x", Token)).Status);
        CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(Key, isConditional ? first.Version : null, Token)).Status);
        CaseAssert.Null(await Store.GetAsync(Key, Token));
        CaseAssert.NotEqual(first.Version, (await CreateCompletedAsync(CompletedRecord, Bytes(100))).Version);
    }

    [Case(Requires = StoreCapabilities.SingleRequests | StoreCapabilities.SharedStorage)]
    public async Task Law6_Completed_upload_survives_reopening_the_store()
    {
        UploadInfo created = await CreateCompletedAsync(CompletedRecord with { Data = Bytes(7) }, Bytes(100));
        await DisposeStoreAsync(_store);
        _store = await OpenStoreAsync();
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((created.Version, created.Offset, created.LastModified), (current.Version, current.Offset, current.LastModified));
        CaseAssert.Equal(Bytes(100), await ReadContentAsync());
    }

    [Case(Excludes = StoreCapabilities.SingleRequests)]
    public Task Store_without_single_requests_capability_does_not_have_it()
    {
        CaseAssert.Null(Store.GetCapability<ISingleRequestStore>());
        return Task.CompletedTask;
    }

    private ISingleRequestStore SingleRequestStore => CaseAssert.RequireNotNull(Store.GetCapability<ISingleRequestStore>());

    private static UploadRecord CompletedRecord { get; } = new() { State = UploadState.Completed };

    private async Task<UploadInfo> CreateCompletedAsync(UploadRecord record, byte[] bytes)
    {
        CreateResult result = await SingleRequestStore.CreateCompletedAsync(Key, record, new ReadOnlySequence<byte>(bytes), Token);
        CaseAssert.Equal(CreateStatus.Created, result.Status);
        return CaseAssert.RequireNotNull(result.Info);
    }

    /// <summary>A sequence of several segments, as a connection delivers bytes.</summary>
    private sealed class Segments : ReadOnlySequenceSegment<byte>
    {
        private Segments(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public static ReadOnlySequence<byte> Create(byte[] bytes, int size)
        {
            var first = new Segments(bytes.AsMemory(0, Math.Min(size, bytes.Length)), 0);
            Segments last = first;
            for (int i = size; i < bytes.Length; i += size)
            {
                var next = new Segments(bytes.AsMemory(i, Math.Min(size, bytes.Length - i)), i);
                last.Next = next;
                last = next;
            }

            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}
