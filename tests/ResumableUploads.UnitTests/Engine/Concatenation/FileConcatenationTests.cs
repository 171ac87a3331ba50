using System.Buffers;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>Concatenation in the file-system store, by copies of the operating system or by reading and writing.</summary>
public class FileConcatenationTests
{
    [Theory]
    [InlineData(true, Durability.ProcessCrash)]
    [InlineData(true, Durability.PowerLoss)]
    [InlineData(false, Durability.PowerLoss)]
    public async Task Concatenation_copies_each_part_once(bool canCopy, Durability durability)
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            var files = new CountingFileLayer { CanCopy = canCopy };
            var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = directory, Durability = durability }, null, null, files);
            await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options => options.Store = store);
            byte[] content = RandomNumberGenerator.GetBytes(3_000_000);
            var parts = new List<string>();
            foreach (byte[] part in content.Chunk(1_000_000))
            {
                parts.Add(await app.Client.CreateAsync(TusApp.Url, part.Length, ("Upload-Concat", "partial")));
                using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(parts[^1], 0, part);
            }

            long writtenBefore = files.Written;
            using HttpResponseMessage final = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{string.Join(' ', parts)}"));
            Assert.Equal(201, (int)final.StatusCode);
            Assert.Equal(content, Assert.Single(app.Seen).Content);
            Assert.Equal(canCopy ? (content.Length, 0) : (0, content.Length), (files.Copied, files.Written - writtenBefore));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Interrupted_concatenation_returns_201_and_resumes_on_HEAD(int failingCopy)
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            var files = new CountingFileLayer { CanCopy = true, FailsAt = failingCopy };
            var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = directory }, null, null, files);
            await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options => options.Store = store);
            var parts = new List<string>();
            byte[] content = RandomNumberGenerator.GetBytes(300_000);
            foreach (byte[] part in content.Chunk(100_000))
            {
                parts.Add(await app.Client.CreateAsync(TusApp.Url, part.Length, ("Upload-Concat", "partial")));
                using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(parts[^1], 0, part);
            }

            using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{string.Join(' ', parts)}"));
            Assert.Equal(201, (int)created.StatusCode);
            Assert.Empty(app.Seen);
            using HttpResponseMessage head = await app.Client.TusAsync("HEAD", created.Header("Location")!);
            Assert.Equal((200, "300000"), ((int)head.StatusCode, head.Header("Upload-Offset")));
            Assert.Equal(content, Assert.Single(app.Seen).Content);

            // Parts that were copied before the failure are not copied again.
            Assert.Equal(content.Length, files.Copied);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Last_part_is_acknowledged_when_the_concatenation_fails()
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            var store = new FileSystemUploadStore(
                new FileSystemUploadStoreOptions { Directory = directory }, null, null, new CountingFileLayer { CanCopy = true, FailsAt = 1 });
            await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options => options.Store = store);
            string part = await app.Client.CreateAsync(TusApp.Url, 3, ("Upload-Concat", "partial"));
            using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{part}"));
            using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(part, 0, [1, 2, 3]);
            Assert.Equal((204, "3"), ((int)chunk.StatusCode, chunk.Header("Upload-Offset")));
            Assert.Empty(app.Seen);
            using HttpResponseMessage head = await app.Client.TusAsync("HEAD", created.Header("Location")!);
            Assert.Equal((200, "3"), ((int)head.StatusCode, head.Header("Upload-Offset")));
            Assert.Equal([1, 2, 3], Assert.Single(app.Seen).Content);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Stop_of_the_server_interrupts_a_concatenation()
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            var files = new CountingFileLayer { CanCopy = true, MaxCopyLength = 10 };
            var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = directory }, null, null, files);
            await using (var engine = new TestEngine(store, TimeProvider.System))
            {
                await engine.AppendToPartAsync("part", 0, new byte[1000], 1000);
                files.OnCopy = copy =>
                {
                    if (copy == 3)
                    {
                        engine.Engine.Stop();
                    }
                };
                Assert.Equal(UploadResultKind.Appended, (await engine.ConcatenateAsync("part")).Kind);
                Assert.Equal(30, (await engine.GetAsync())!.Offset);
            }

            await using var next = new TestEngine(store, TimeProvider.System);
            await next.CompleteAsync();
            UploadInfo info = (await next.GetAsync())!;
            Assert.Equal((UploadState.Completed, 1000, 1000), (info.State, info.Offset, files.Copied));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Status_during_concatenation_returns_at_once_and_does_not_stop_it()
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            using var copyStarted = new SemaphoreSlim(0);
            using var continueCopy = new SemaphoreSlim(0);
            var files = new CountingFileLayer { CanCopy = true, CopyStarted = copyStarted, ContinueCopy = continueCopy };
            var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = directory }, null, null, files);
            await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options =>
            {
                options.Store = store;

                // A status request that waited for the lock would exceed the timeouts of this test.
                options.Timeouts.PreemptionTimeout = TimeSpan.FromMinutes(10);
            });
            string part = await app.Client.CreateAsync(TusApp.Url, 3, ("Upload-Concat", "partial"));
            string open = await app.Client.CreateAsync(TusApp.Url, 3, ("Upload-Concat", "partial"));
            using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(part, 0, [1, 2, 3]);
            using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{part} {open}"));
            string final = created.Header("Location")!;
            Task<HttpResponseMessage> lastPart = app.Client.AppendChunkAsync(open, 0, [4, 5, 6]);
            Assert.True(await copyStarted.WaitAsync(TimeSpan.FromSeconds(50)));
            using (HttpResponseMessage status = await app.Client.TusAsync("HEAD", final).WaitAsync(TimeSpan.FromSeconds(50)))
            {
                Assert.Equal((200, null, "6"), ((int)status.StatusCode, status.Header("Upload-Offset"), status.Header("Upload-Length")));
                Assert.False(lastPart.IsCompleted);
            }

            continueCopy.Release(10);
            using HttpResponseMessage lastResponse = await lastPart;
            Assert.Equal(204, (int)lastResponse.StatusCode);
            Assert.Equal([1, 2, 3, 4, 5, 6], Assert.Single(app.Seen).Content);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private sealed class CountingFileLayer : DelegatingFileLayer
    {
        private int _copyCount;

        public bool CanCopy { get; init; }

        public int FailsAt { get; init; } = -1;

        public long MaxCopyLength { get; init; } = long.MaxValue;

        public Action<int>? OnCopy { get; set; }

        public SemaphoreSlim? CopyStarted { get; init; }

        public SemaphoreSlim? ContinueCopy { get; init; }

        public long Copied { get; private set; }

        public long Written { get; private set; }

        public override long CopyRange(OpenFile from, long fromOffset, OpenFile to, long toOffset, long count)
        {
            CopyStarted?.Release();
            ContinueCopy?.Wait(TimeSpan.FromSeconds(50));
            if (++_copyCount == FailsAt)
            {
                throw new IOException("Simulated I/O error.");
            }

            OnCopy?.Invoke(_copyCount);
            long copied = CanCopy ? base.CopyRange(from, fromOffset, to, toOffset, Math.Min(count, MaxCopyLength)) : 0;
            Copied += copied;
            return copied;
        }

        public override void Write(OpenFile file, ReadOnlySequence<byte> content, long offset)
        {
            // Counts only the content; the size of markers and records varies.
            if (file.Path.EndsWith(".data", StringComparison.Ordinal))
            {
                Written += content.Length;
            }

            base.Write(file, content, offset);
        }
    }
}
