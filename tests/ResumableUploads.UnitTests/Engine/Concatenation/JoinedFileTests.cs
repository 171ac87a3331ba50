using System.Buffers;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>Joining in the file-system store: the system copies, and where it cannot, the store reads and writes.</summary>
public class JoinedFileTests
{
    [Theory]
    [InlineData(true, Durability.ProcessCrash)]
    [InlineData(true, Durability.PowerLoss)]
    [InlineData(false, Durability.PowerLoss)]
    public async Task A_joined_file_is_its_parts_and_only_they_are_copied(bool canCopy, Durability durability)
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            var files = new CountingFiles { CanCopy = canCopy };
            var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = directory, Durability = durability }, null, null, files);
            await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options => options.Store = store);
            byte[] content = RandomNumberGenerator.GetBytes(3_000_000);
            var parts = new List<string>();
            foreach (byte[] part in content.Chunk(1_000_000))
            {
                parts.Add(await app.Client.CreateAsync(TusApp.Url, part.Length, ("Upload-Concat", "partial")));
                using HttpResponseMessage piece = await app.Client.PieceAsync(parts[^1], 0, part);
            }

            long before = files.Written;
            using HttpResponseMessage final = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{string.Join(' ', parts)}"));
            Assert.Equal(201, (int)final.StatusCode);
            Assert.Equal(content, Assert.Single(app.Seen).Content);
            Assert.Equal(canCopy ? (content.Length, 0) : (0, content.Length), (files.Copied, files.Written - before));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_join_that_broke_off_is_told_with_its_url_and_goes_on_when_it_is_asked_for(int fails)
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            var files = new CountingFiles { CanCopy = true, FailsAt = fails };
            var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = directory }, null, null, files);
            await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options => options.Store = store);
            var parts = new List<string>();
            byte[] content = RandomNumberGenerator.GetBytes(300_000);
            foreach (byte[] part in content.Chunk(100_000))
            {
                parts.Add(await app.Client.CreateAsync(TusApp.Url, part.Length, ("Upload-Concat", "partial")));
                using HttpResponseMessage piece = await app.Client.PieceAsync(parts[^1], 0, part);
            }

            using HttpResponseMessage broken = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{string.Join(' ', parts)}"));
            Assert.Equal(503, (int)broken.StatusCode);
            Assert.Empty(app.Seen);
            using HttpResponseMessage head = await app.Client.TusAsync("HEAD", broken.Header("Location")!);
            Assert.Equal((200, "300000"), ((int)head.StatusCode, head.Header("Upload-Offset")));
            Assert.Equal(content, Assert.Single(app.Seen).Content);

            // What was joined before is not joined again.
            Assert.Equal(content.Length, files.Copied);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_last_part_is_acknowledged_also_where_the_join_that_it_starts_breaks_off()
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            var store = new FileSystemUploadStore(
                new FileSystemUploadStoreOptions { Directory = directory }, null, null, new CountingFiles { CanCopy = true, FailsAt = 1 });
            await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options => options.Store = store);
            string part = await app.Client.CreateAsync(TusApp.Url, 3, ("Upload-Concat", "partial"));
            using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{part}"));
            using HttpResponseMessage piece = await app.Client.PieceAsync(part, 0, [1, 2, 3]);
            Assert.Equal((204, "3"), ((int)piece.StatusCode, piece.Header("Upload-Offset")));
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
    public async Task Who_asks_for_an_upload_while_it_is_joined_is_answered_at_once_and_does_not_end_the_join()
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            using var joining = new SemaphoreSlim(0);
            using var goOn = new SemaphoreSlim(0);
            var files = new CountingFiles { CanCopy = true, Joining = joining, GoOn = goOn };
            var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = directory }, null, null, files);
            await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options =>
            {
                options.Store = store;

                // Who waited for the turn would wait longer than this test.
                options.Timeouts.PreemptionTimeout = TimeSpan.FromMinutes(10);
            });
            string part = await app.Client.CreateAsync(TusApp.Url, 3, ("Upload-Concat", "partial"));
            string open = await app.Client.CreateAsync(TusApp.Url, 3, ("Upload-Concat", "partial"));
            using HttpResponseMessage piece = await app.Client.PieceAsync(part, 0, [1, 2, 3]);
            using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{part} {open}"));
            string final = created.Header("Location")!;
            Task<HttpResponseMessage> last = app.Client.PieceAsync(open, 0, [4, 5, 6]);
            Assert.True(await joining.WaitAsync(TimeSpan.FromSeconds(20)));
            using (HttpResponseMessage meanwhile = await app.Client.TusAsync("HEAD", final).WaitAsync(TimeSpan.FromSeconds(20)))
            {
                Assert.Equal((200, null, "6"), ((int)meanwhile.StatusCode, meanwhile.Header("Upload-Offset"), meanwhile.Header("Upload-Length")));
                Assert.False(last.IsCompleted);
            }

            goOn.Release(10);
            using HttpResponseMessage done = await last;
            Assert.Equal(204, (int)done.StatusCode);
            Assert.Equal([1, 2, 3, 4, 5, 6], Assert.Single(app.Seen).Content);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private sealed class CountingFiles : DelegatingFileLayer
    {
        private int _copies;

        public bool CanCopy { get; init; }

        public int FailsAt { get; init; } = -1;

        public SemaphoreSlim? Joining { get; init; }

        public SemaphoreSlim? GoOn { get; init; }

        public long Copied { get; private set; }

        public long Written { get; private set; }

        public override long CopyRange(OpenFile from, long fromOffset, OpenFile to, long toOffset, long count)
        {
            Joining?.Release();
            GoOn?.Wait(TimeSpan.FromSeconds(20));
            if (++_copies == FailsAt)
            {
                throw new IOException("The disk is on fire.");
            }

            long copied = CanCopy ? base.CopyRange(from, fromOffset, to, toOffset, count) : 0;
            Copied += copied;
            return copied;
        }

        public override void Write(OpenFile file, ReadOnlySequence<byte> content, long offset)
        {
            // Marks and the like are small and written again and again; the content is what counts here.
            if (file.Path.EndsWith(".data", StringComparison.Ordinal))
            {
                Written += content.Length;
            }

            base.Write(file, content, offset);
        }
    }
}
