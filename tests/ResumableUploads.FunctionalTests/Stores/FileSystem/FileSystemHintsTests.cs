using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Stores.FileSystem;

/// <summary>Preallocation and early writeback, which shorten the last sync of an append.</summary>
public sealed class FileSystemHintsTests : FileSystemStoreTest
{
    private const int MiB = 1 << 20;
    private readonly List<(string Step, long Offset, long Length)> _hints = [];

    public FileSystemHintsTests() => Files.Hinted = (step, offset, length) => _hints.Add((step, offset, length));

    [Fact]
    public async Task Preallocation_is_at_most_the_received_size_and_is_trimmed()
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
            // Half a MiB for metadata of the file system.
            Assert.InRange(await GetAllocatedSizeAsync(TheFile(".data")), 13 * MiB, 13.5 * MiB);
        }

        // The next append has received nothing yet when it starts.
        _hints.Clear();
        await SendAsync(store, 13 * MiB, 1, announced: 1L << 40);
        Assert.Empty(_hints);
    }

    [Fact]
    public async Task Preallocation_ends_at_the_expected_length()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store, record: new UploadRecord { Length = 1L << 40 });
        await SendAsync(store, 0, 13, announced: 13 * MiB);

        Assert.All(_hints, hint => Assert.InRange(hint.Offset + hint.Length, 1, 13 * MiB));
    }

    [Fact]
    public async Task Writeback_starts_before_the_sync()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        long started = 0;
        Files.Hinted = (step, offset, length) =>
        {
            if (step == "start-writing")
            {
                Assert.Equal(started, offset);
                started += length;
            }
        };
        long? atSync = null;
        Files.Before = (step, path) =>
        {
            if (step == "sync" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                atSync ??= started;
            }
        };
        await SendAsync(store, 0, 24, announced: null);

        Assert.InRange(atSync!.Value, 16 * MiB, 24 * MiB);
    }

    [Fact]
    public async Task Writeback_is_not_started_early_with_process_crash_durability()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        await CreateAsync(store);
        await SendAsync(store, 0, 24, announced: null);

        Assert.DoesNotContain(_hints, static hint => hint.Step == "start-writing");
    }

    /// <summary>Sends MiB by MiB; waits until each is written.</summary>
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
            Assert.True(await written.WaitAsync(TestTimeout, None));
        }

        content.End();
        AppendResult result = await append.WaitAsync(TestTimeout, None);
        Files.After = null;
        return result;
    }

    private static async Task<long> GetAllocatedSizeAsync(string path)
    {
        using Process stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%b", path]) { RedirectStandardOutput = true })!;
        string blocks = await stat.StandardOutput.ReadToEndAsync(None);
        await stat.WaitForExitAsync(None);
        return 512 * long.Parse(blocks, CultureInfo.InvariantCulture);
    }
}
