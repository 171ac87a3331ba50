using CustomStore;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.FunctionalTests.Samples;

/// <summary>Two processes with clocks of their own use the database of the CustomStore sample.</summary>
public sealed class CustomStoreLeaseTests : IDisposable
{
    private static readonly UploadKey Key = new("owner", "upload");
    private static readonly DateTimeOffset Start = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly string _directory = Directory.CreateTempSubdirectory("resumable-uploads-sqlite-").FullName;
    private readonly FakeTimeProvider _time = new(Start);
    private readonly SqliteUploadStore _store;

    public CustomStoreLeaseTests() => _store = new SqliteUploadStore(Database, _time);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Database => Path.Combine(_directory, "uploads.db");

    public void Dispose()
    {
        using (var connection = new SqliteConnection($"Data Source={Database};Default Timeout=30"))
        {
            SqliteConnection.ClearPool(connection);
        }

        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(-60)]
    [InlineData(60)]
    public async Task Lease_counts_until_another_process_has_seen_it_for_its_duration(int clockDifference)
    {
        (RecordingContent content, Task<AppendResult> append) = await StartAppendAsync();
        var time = new FakeTimeProvider(Start.AddMinutes(clockDifference));
        var other = new SqliteUploadStore(Database, time);
        UploadInfo info = (await other.GetAsync(Key, Token))!;
        Assert.Equal(ChangeStatus.Busy, (await other.UpdateAsync(Key, info.Version, info.Record, Token)).Status);
        time.Advance(TimeSpan.FromSeconds(14));
        Assert.Equal(AppendStatus.Busy, (await AppendAsync(other, info.Offset, [1])).Status);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(AppendStatus.Appended, (await AppendAsync(other, info.Offset, [1])).Status);

        content.Complete();
        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => append);
        Assert.Contains("lease", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UploadState.Receiving)]
    [InlineData(UploadState.Received)]
    public async Task Append_whose_lease_is_over_writes_nothing_after_a_change_of_the_record(UploadState state)
    {
        (RecordingContent content, Task<AppendResult> append) = await StartAppendAsync();
        var time = new FakeTimeProvider(Start);
        var other = new SqliteUploadStore(Database, time);
        UploadInfo info = (await other.GetAsync(Key, Token))!;
        Assert.Equal(ChangeStatus.Busy, (await other.UpdateAsync(Key, info.Version, info.Record, Token)).Status);
        time.Advance(TimeSpan.FromSeconds(16));
        UpdateResult updated = await other.UpdateAsync(Key, info.Version, info.Record with { State = state }, Token);
        Assert.Equal(ChangeStatus.Succeeded, updated.Status);

        content.Send([4, 5]);
        content.Complete();
        await Assert.ThrowsAsync<UploadStoreException>(() => append);
        Assert.Equal((updated.Info!.Version, 3L), ((await other.GetAsync(Key, Token))!.Version, (await other.GetAsync(Key, Token))!.Offset));
    }

    [Fact]
    public async Task Content_is_readable_only_by_the_account_of_the_process()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        await _store.CreateAsync(Key, new UploadRecord(), Token);
        await using Stream? content = await _store.OpenReadAsync(Key, Token);
        FileStream file = Assert.IsType<FileStream>(content);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(file.SafeFileHandle) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Fact]
    public async Task Copy_of_the_content_has_no_name_while_it_is_written()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An open file has a name on Windows.");
        await _store.CreateAsync(Key, new UploadRecord(), Token);
        var deleted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(_directory, "*.tmp") { EnableRaisingEvents = true };
        watcher.Deleted += (_, _) => deleted.TrySetResult();
        ValueTask<Stream?> open;
        await using (var connection = new SqliteConnection($"Data Source={Database};Default Timeout=30"))
        {
            // The copy waits for the transaction of another process.
            connection.Open();
            await using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
            open = _store.OpenReadAsync(Key, Token);
            await deleted.Task.WaitAsync(TimeSpan.FromSeconds(60), Token);
        }

        await using Stream? content = await open;
        Assert.Equal(0, await content!.ReadAsync(new byte[1], Token));
    }

    /// <summary>Starts an append that has written three bytes and waits for more, in a process whose clock stands still.</summary>
    private async Task<(RecordingContent Content, Task<AppendResult> Append)> StartAppendAsync()
    {
        await _store.CreateAsync(Key, new UploadRecord(), Token);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new RecordingContent { OnDurableReported = _ => written.TrySetResult() };
        content.Send([1, 2, 3]);
        Task<AppendResult> append = _store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        await written.Task.WaitAsync(TimeSpan.FromSeconds(60), Token);
        return (content, append);
    }

    private static async Task<AppendResult> AppendAsync(SqliteUploadStore store, long offset, byte[] bytes) =>
        await store.AppendAsync(Key, offset, RecordingContent.FromBytes(bytes), AppendMode.KeepPartial, Token);
}
