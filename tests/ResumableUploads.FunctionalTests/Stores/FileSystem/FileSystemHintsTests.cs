using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Stores.FileSystem;

/// <summary>What the system is told ahead of time so that the end is short.</summary>
public sealed class FileSystemHintsTests : FileSystemStoreTest
{
    private const int MiB = 1 << 20;
    private readonly List<(string Step, long Offset, long Length)> _hints = [];

    public FileSystemHintsTests() => Files.Hinted = (step, offset, length) => _hints.Add((step, offset, length));

    [Fact]
    public async Task Room_is_found_for_no_more_than_came_already_and_what_is_not_used_is_given_back()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        await CreateAsync(store, record: new UploadRecord { Length = 1L << 40 });
        Assert.Equal(AppendStatus.Appended, (await SendAsync(store, 0, 13, announced: 1L << 40)).Status);
        Assert.Equal(13 * MiB, (await GetAsync(store)).Offset);

        (string Step, long Offset, long Length)[] allocated = [.. _hints.Where(hint => hint.Step == "allocate")];
        Assert.NotEmpty(allocated);
        Assert.All(allocated, hint => Assert.InRange(hint.Length, 1, hint.Offset));
        if (OperatingSystem.IsLinux())
        {
            // Half a MiB for what a file system needs itself.
            Assert.InRange(await AllocatedAsync(TheFile(".data")), 13 * MiB, 13.5 * MiB);
        }

        // The next append has brought nothing yet.
        _hints.Clear();
        await SendAsync(store, 13 * MiB, 1, announced: 1L << 40);
        Assert.Empty(_hints);
    }

    [Fact]
    public async Task No_room_is_found_for_more_than_a_request_announced()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store, record: new UploadRecord { Length = 1L << 40 });
        await SendAsync(store, 0, 13, announced: 13 * MiB);

        Assert.All(_hints, hint => Assert.InRange(hint.Offset + hint.Length, 1, 13 * MiB));
    }

    [Fact]
    public async Task The_disk_begins_long_before_the_sync()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        long begun = 0;
        Files.Hinted = (step, offset, length) =>
        {
            if (step == "start-writing")
            {
                Assert.Equal(begun, offset);
                begun += length;
            }
        };
        long? atSync = null;
        Files.Before = (step, path) =>
        {
            if (step == "sync" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                atSync ??= begun;
            }
        };
        await SendAsync(store, 0, 24, announced: null);

        Assert.InRange(atSync!.Value, 16 * MiB, 24 * MiB);
    }

    [Fact]
    public async Task The_disk_is_not_hurried_where_only_the_process_may_die()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        await CreateAsync(store);
        await SendAsync(store, 0, 24, announced: null);

        Assert.DoesNotContain(_hints, static hint => hint.Step == "start-writing");
    }

    /// <summary>Sends some MiB, one after the other: each is written before the next is there.</summary>
    private async Task<AppendResult> SendAsync(FileSystemUploadStore store, long offset, int count, long? announced)
    {
        var content = new FedContent { Announced = announced };
        using var written = new SemaphoreSlim(0);
        Files.After = (step, path) =>
        {
            if (step == "write" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                written.Release();
            }
        };
        Task<AppendResult> append = store.AppendAsync(Key, offset, content, AppendMode.KeepPartial, None).AsTask();
        for (int i = 0; i < count; i++)
        {
            await content.FeedAsync(Bytes(MiB));
            Assert.True(await written.WaitAsync(Patience, None));
        }

        content.End();
        AppendResult result = await append.WaitAsync(Patience, None);
        Files.After = null;
        return result;
    }

    private static async Task<long> AllocatedAsync(string path)
    {
        using Process stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%b", path]) { RedirectStandardOutput = true })!;
        string blocks = await stat.StandardOutput.ReadToEndAsync(None);
        await stat.WaitForExitAsync(None);
        return 512 * long.Parse(blocks, CultureInfo.InvariantCulture);
    }
}
