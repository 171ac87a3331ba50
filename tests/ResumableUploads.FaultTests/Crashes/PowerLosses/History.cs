using System.Buffers;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>Calls to a store on a recorded disk. Requests and acknowledgements are recorded in the log of the disk.</summary>
internal sealed class History(RecordingFileLayer files, string directory, Random random)
{
    /// <summary>Low enough to make a small append durable several times.</summary>
    public const int SyncSize = 100;

    private const int RecordSize = 24;
    private const int OutcomeSize = 40;

    private readonly FileSystemUploadStore _store = NewStore(directory, files);

    public IReadOnlyList<DiskOperation> Log => files.Log;

    /// <summary>Gets the log index from which the expected state is known.</summary>
    public int Beginning { get; private set; } = files.Beginning;

    public Expectations Expected { get; } = new();

    public static FileSystemUploadStore NewStore(string directory, FileLayer files) => new(
        new FileSystemUploadStoreOptions { Directory = Path.Combine(directory, "store"), Durability = Durability.PowerLoss, SyncSize = SyncSize },
        new FakeTimeProvider(new DateTimeOffset(2040, 1, 2, 3, 4, 5, TimeSpan.Zero)),
        logger: null,
        files,
        new DiskScheduler("unused", maxThreads: 0, TimeProvider.System));

    /// <summary>Continues after a power loss with the state that a read finds.</summary>
    public async Task ResumeAsync(Expectations before)
    {
        // The first reads truncate and sync, so the power may be lost during them as well.
        foreach (UploadKey key in before.Keys)
        {
            Say($"expect {key}", all => all[key] = before[key]);
        }

        Beginning = files.Log.Count;
        Dictionary<UploadKey, ExpectedUpload?> found = await new StoreVerifier(_store).InspectAsync(before);
        foreach ((UploadKey key, ExpectedUpload? upload) in found)
        {
            Say($"found {key} with {upload?.AcknowledgedOffset.ToString() ?? "nothing"}", all => all[key] = new ExpectedKey { Now = upload });
        }
    }

    /// <summary>
    /// Continues in the same boot after a process has died. What a read finds counts as acknowledged, whether or not the dead process acknowledged
    /// it. Uploads whose deletion was interrupted may still exist.
    /// </summary>
    public async Task TakeOverAsync(Expectations before)
    {
        Dictionary<UploadKey, ExpectedUpload?> found = await new StoreVerifier(_store).InspectAsync(before);
        foreach ((UploadKey key, ExpectedUpload? upload) in found)
        {
            ExpectedKey now = upload is null ? before[key] with { IsBeingDeleted = true } : new ExpectedKey { Now = upload };
            Say($"taken over {key} with {upload?.AcknowledgedOffset.ToString() ?? "nothing"}", all => all[key] = now);
        }
    }

    public async Task CreateAsync(UploadKey key)
    {
        var record = new UploadRecord { Data = Bytes(RecordSize) };
        var upload = new ExpectedUpload { Records = [record] };
        Say($"create {key}", all => all[key] = all[key] with { Next = upload });
        CreateResult created = await _store.CreateAsync(key, record, default);
        Assert.Equal(CreateStatus.Created, created.Status);
        Say($"created {key}", all => all[key] = new ExpectedKey { Now = upload });
    }

    public async Task CreateWholeAsync(UploadKey key, UploadState state, int size)
    {
        var record = new UploadRecord { State = state, Length = size, Data = Bytes(RecordSize) };
        byte[] bytes = Bytes(size);
        var upload = new ExpectedUpload { Kept = bytes, AcknowledgedOffset = size, Records = [record] };
        Say($"create {key} whole", all => all[key] = all[key] with { Next = upload });
        CreateResult created = await _store.CreateCompletedAsync(key, record, new ReadOnlySequence<byte>(bytes), default);
        Assert.Equal(CreateStatus.Created, created.Status);
        Say($"created {key} whole", all => all[key] = new ExpectedKey { Now = upload });
    }

    public async Task AppendAsync(UploadKey key, params int[] sizes)
    {
        ChunkContent content = Begin(key, sizes, isStaged: false, isWanted: false, out byte[] bytes);
        long start = Upload(key).Kept.Length;
        AppendResult result = await _store.AppendAsync(key, start, content, AppendMode.KeepPartial, default);
        Assert.Equal((AppendStatus.Appended, start + bytes.Length), (result.Status, result.Offset));
        End(key, $"appended, {result.Offset}", keep: true);
    }

    /// <summary>Receives an upload with its last append, as a request does after which no handler runs.</summary>
    public async Task AppendFinalAsync(UploadKey key, UploadState state, params int[] sizes)
    {
        UploadRecord final = CreateRecord(state, Upload(key).Kept.Length + sizes.Sum());
        AppendResult result = await AppendFinalAsync(key, new FinalRecord(final, IsDeferrable: false), sizes);
        Change(key, $"{state} at {result.Offset}", upload => upload with { Records = [final] });
        End(key, $"appended, {result.Offset}", keep: true);
    }

    /// <summary>Receives an upload with its last append by a deferred change, as a request does after which the handler runs, and completes it with a response.</summary>
    public async Task AppendAndFinishAsync(UploadKey key, params int[] sizes)
    {
        (UploadRecord[] received, UploadRecord completed, byte[] outcome) = CreateRecords(1, Upload(key).Kept.Length + sizes.Sum(), OutcomeSize);
        AppendResult result = await AppendFinalAsync(key, new FinalRecord(received[0], IsDeferrable: true), sizes);
        End(key, $"appended, {result.Offset}", keep: true);
        await CompleteAsync(key, result.Version!, completed, outcome);
    }

    public async Task StageAsync(UploadKey key, bool isWanted, params int[] sizes)
    {
        ChunkContent content = Begin(key, sizes, isStaged: true, isWanted, out byte[] bytes);
        long start = Upload(key).Kept.Length;
        AppendResult result = await _store.AppendAsync(key, start, content, AppendMode.AllOrNothing, default);
        Assert.Equal(
            isWanted ? (AppendStatus.Appended, start + bytes.Length) : (AppendStatus.Discarded, start), (result.Status, result.Offset));
        End(key, $"staged, {result.Offset}", keep: isWanted);
    }

    public async Task UpdateAsync(UploadKey key, UploadState state)
    {
        UploadInfo info = (await _store.GetAsync(key, default))!;
        UploadRecord record = info.Record with { State = state, Length = Upload(key).Kept.Length, Data = Bytes(RecordSize) };
        Change(key, $"update to {state}", upload => upload with { Records = [.. upload.Records, record] });
        UpdateResult updated = await _store.UpdateAsync(key, info.Version, record, default);
        Assert.Equal(ChangeStatus.Succeeded, updated.Status);
        Change(key, $"updated to {state}", upload => upload with { Records = [record] });
    }

    /// <summary>Completes an upload with a response, or replaces the response of a completed one.</summary>
    public async Task CompleteAsync(UploadKey key, int responseSize = OutcomeSize)
    {
        UploadInfo info = (await _store.GetAsync(key, default))!;
        await CompleteAsync(key, info.Version, CreateRecord(UploadState.Completed, Upload(key).Kept.Length), Bytes(responseSize));
    }

    /// <summary>Receives an upload by deferred changes, as a request does that runs the handler, and completes it with a response.</summary>
    /// <param name="key">The upload, which is receiving.</param>
    /// <param name="changeCount">The number of deferred changes.</param>
    /// <param name="responseSize">The length of the response.</param>
    public async Task FinishAsync(UploadKey key, int changeCount = 1, int responseSize = OutcomeSize)
    {
        UploadInfo info = (await _store.GetAsync(key, default))!;
        (UploadRecord[] received, UploadRecord completed, byte[] outcome) = CreateRecords(changeCount, Upload(key).Kept.Length, responseSize);
        Change(key, "receive deferred", upload => upload with { Records = [.. upload.Records, .. received] });
        await CompleteAsync(key, await UpdateDeferredAsync(key, info.Version, received), completed, outcome);
    }

    /// <summary>Creates an upload with its content by a deferred change, changes it by more of them, and completes it with a response.</summary>
    /// <inheritdoc cref="FinishAsync" path="/param"/>
    public async Task CreateAndFinishAsync(UploadKey key, int size, int changeCount = 1, int responseSize = OutcomeSize)
    {
        byte[] bytes = Bytes(size);
        (UploadRecord[] received, UploadRecord completed, byte[] outcome) = CreateRecords(changeCount + 1, size, responseSize);
        var upload = new ExpectedUpload { Kept = bytes, AcknowledgedOffset = size, Records = received };
        Say($"create {key} deferred", all => all[key] = all[key] with { Next = upload });
        CreateResult created = await _store.CreateCompletedDeferredAsync(key, received[0], new ReadOnlySequence<byte>(bytes), default);
        Assert.Equal(CreateStatus.Created, created.Status);
        string version = await UpdateDeferredAsync(key, created.Info!.Version, received[1..]);
        Say($"complete {key}", all => all[key] = all[key] with { Next = Completing(upload, completed, outcome) });
        Assert.Equal(ChangeStatus.Succeeded, (await _store.CompleteAsync(key, version, completed, outcome, default)).Status);
        Say($"completed {key}", all => all[key] = new ExpectedKey { Now = upload with { Records = [completed], Outcomes = [outcome] } });
    }

    public async Task DeleteAsync(UploadKey key, bool isConditional = false)
    {
        string? version = isConditional ? (await _store.GetAsync(key, default))!.Version : null;
        Say($"delete {key}", all => all[key] = all[key] with { IsBeingDeleted = true });
        Assert.Equal(ChangeStatus.Succeeded, (await _store.DeleteAsync(key, version, default)).Status);
        Say($"deleted {key}", all => all[key] = new ExpectedKey());
    }

    public async Task ReplaceAsync(UploadKey key, UploadKey replacementKey)
    {
        string version = (await _store.GetAsync(key, default))!.Version;
        string replacementVersion = (await _store.GetAsync(replacementKey, default))!.Version;
        ExpectedUpload replacement = Upload(replacementKey) with { Outcomes = [null] };
        Say($"replace {key}", all => all[key] = all[key] with { Next = replacement });
        Say($"by {replacementKey}", all => all[replacementKey] = all[replacementKey] with { IsBeingDeleted = true });
        Assert.Equal(ChangeStatus.Succeeded, (await _store.ReplaceAsync(key, version, replacementKey, replacementVersion, default)).Status);
        Say($"replaced {key}", all => all[key] = new ExpectedKey { Now = replacement });
        Say($"by {replacementKey}", all => all[replacementKey] = new ExpectedKey());
    }

    /// <summary>Cleans up like a sweep, including empty directories.</summary>
    public async Task CleanUpAsync()
    {
        Assert.Equal(Expected.Keys.Count(key => Expected[key].Now is not null), await _store.ListAsync(new UploadQuery(), default).CountAsync());
        await _store.CleanUpAsync(default);
    }

    /// <summary>
    /// Continues after a failed call: the state is either the acknowledged one or the one that the call should have produced, and the upload can be
    /// resumed, also by another process.
    /// </summary>
    /// <param name="reported">The offset that the failure reported, or null.</param>
    /// <param name="another">A store of another process.</param>
    public async Task ContinueAfterFailureAsync(long? reported, IUploadStore another)
    {
        var look = new StoreVerifier(_store);
        Dictionary<UploadKey, ExpectedUpload?> found = await look.InspectAsync(Expected);
        Assert.True(reported is null || found.Values.Any(upload => upload?.AcknowledgedOffset >= reported), $"The failure reported offset {reported}, and fewer bytes are stored.");
        Expectations after = await look.ContinueAsync(found);
        await look.InspectAsync(after);
        await new StoreVerifier(another).InspectAsync(after);
    }

    private async Task<AppendResult> AppendFinalAsync(UploadKey key, FinalRecord final, int[] sizes)
    {
        long start = Upload(key).Kept.Length;
        ChunkContent content = Begin(key, sizes, isStaged: false, isWanted: false, out byte[] bytes, offset =>
        {
            Assert.Equal(Upload(key).Sent.Length, offset);
            Change(key, "final record", upload => upload with { Records = [.. upload.Records, final.Record] });
            return final;
        });
        AppendResult result = await _store.AppendAsync(key, start, content, AppendMode.KeepPartial, default);
        Assert.Equal((AppendStatus.Appended, start + bytes.Length, final.Record.State), (result.Status, result.Offset, result.Updated?.State));
        return result;
    }

    private async Task CompleteAsync(UploadKey key, string version, UploadRecord completed, byte[] outcome)
    {
        Change(key, "complete", upload => Completing(upload, completed, outcome));
        Assert.Equal(ChangeStatus.Succeeded, (await _store.CompleteAsync(key, version, completed, outcome, default)).Status);
        Change(key, "completed", upload => upload with { Records = [completed], Outcomes = [outcome], CompletedRecord = null });
    }

    private static ExpectedUpload Completing(ExpectedUpload upload, UploadRecord completed, byte[] outcome) =>
        upload with { Records = [.. upload.Records, completed], Outcomes = [.. upload.Outcomes, outcome], CompletedRecord = completed };

    private (UploadRecord[] Received, UploadRecord Completed, byte[] Outcome) CreateRecords(int receivedCount, int size, int responseSize)
    {
        UploadRecord[] received = [.. Enumerable.Range(0, receivedCount).Select(_ => CreateRecord(UploadState.Received, size))];
        return (received, CreateRecord(UploadState.Completed, size), Bytes(responseSize));
    }

    private UploadRecord CreateRecord(UploadState state, int size) => new() { State = state, Length = size, Data = Bytes(RecordSize) };

    private async Task<string> UpdateDeferredAsync(UploadKey key, string version, UploadRecord[] records)
    {
        foreach (UploadRecord record in records)
        {
            UpdateResult updated = await _store.UpdateDeferredAsync(key, version, record, default);
            Assert.Equal(ChangeStatus.Succeeded, updated.Status);
            version = updated.Info!.Version;
        }

        return version;
    }

    private ChunkContent Begin(
        UploadKey key, int[] sizes, bool isStaged, bool isWanted, out byte[] bytes, Func<long, FinalRecord?>? finalRecordFactory = null)
    {
        byte[][] chunks = [.. sizes.Select(Bytes)];
        byte[] all = bytes = [.. chunks.SelectMany(static chunk => chunk)];
        Change(key, $"append {all.Length}", upload => upload with { UnderWay = all, IsStaged = isStaged });
        return new ChunkContent(
            chunks,
            offset => Change(key, $"committed {offset}", upload => upload with { AcknowledgedOffset = offset }),
            () =>
            {
                Change(key, $"is wanted: {isWanted}", upload => upload with { IsWanted = isWanted });
                return isWanted;
            })
        {
            FinalRecordFactory = finalRecordFactory ?? (static _ => null),
        };
    }

    private void End(UploadKey key, string text, bool keep) => Change(key, text, upload => upload with
    {
        Kept = keep ? upload.Sent : upload.Kept,
        AcknowledgedOffset = keep ? upload.Sent.Length : upload.Kept.Length,
        UnderWay = [],
        IsStaged = false,
        IsWanted = false,
    });

    private ExpectedUpload Upload(UploadKey key) => Expected[key].Now!;

    private void Change(UploadKey key, string text, Func<ExpectedUpload, ExpectedUpload> change) =>
        Say($"{text} {key}", all => all[key] = all[key] with { Now = change(all[key].Now!) });

    private void Say(string text, Action<Expectations> apply)
    {
        apply(Expected);
        files.Note(new Noted(text, apply));
    }

    /// <summary>Returns bytes other than zero, because lost data reads as zeros.</summary>
    private byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            bytes[i] = (byte)random.Next(1, 256);
        }

        return bytes;
    }
}
