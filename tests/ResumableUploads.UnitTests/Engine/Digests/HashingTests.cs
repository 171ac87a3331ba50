using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Digests;

/// <summary>How often stored content is read to compute its digest.</summary>
public class HashingTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(1000);
    private readonly List<UploadKey> _opened = [];
    private readonly HookedStore _store;

    public HashingTests() => _store = new HookedStore(new MemoryUploadStore())
    {
        BeforeOpenRead = key =>
        {
            lock (_opened)
            {
                _opened.Add(key);
            }

            return Task.CompletedTask;
        },
    };

    [Fact]
    public async Task Digest_mismatch_is_computed_once()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, options => options.Store = _store);
        string url = await app.Client.CreateAsync(TusApp.Url, 1000, ("Repr-Digest", DigestOf([1])));
        Assert.Equal(460, await app.Client.AppendChunkAsync(url, 0, File).StatusOfAsync());
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(460, await app.Client.AppendChunkAsync(url, 1000, []).StatusOfAsync());
            Assert.Equal(460, await app.Client.TusAsync("HEAD", url).StatusOfAsync());
        }

        Assert.Single(_opened);
        Assert.Empty(app.Seen);
    }

    [Fact]
    public async Task Digests_that_are_guessed_do_not_hash_again()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, options => options.Store = _store);
        string url = await app.Client.CreateAsync(TusApp.Url, 1000);
        Assert.Equal(460, await app.Client.AppendChunkAsync(url, 0, File, ("Repr-Digest", DigestOf([0]))).StatusOfAsync());
        for (byte i = 1; i < 4; i++)
        {
            Assert.Equal(460, await app.Client.AppendChunkAsync(url, 1000, [], ("Repr-Digest", DigestOf([i]))).StatusOfAsync());
        }

        Assert.Single(_opened);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 1000, [], ("Repr-Digest", DigestOf(File))).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Fact]
    public async Task Digest_mismatch_is_remembered_after_a_restart()
    {
        string url;
        await using (TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, options => options.Store = _store))
        {
            url = await app.Client.CreateAsync(TusApp.Url, 1000, ("Repr-Digest", DigestOf([1])));
            Assert.Equal(460, await app.Client.AppendChunkAsync(url, 0, File).StatusOfAsync());
        }

        await using TusApp next = await TusApp.StartAsync(TusApp.ReadyMade, options => options.Store = _store);
        Assert.Equal(460, await next.Client.AppendChunkAsync(url, 1000, []).StatusOfAsync());
        Assert.Single(_opened);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Repr_Digest_on_each_chunk_hashes_each_byte_once(bool chunked)
    {
        var store = new CountingReadStore(new MemoryUploadStore());
        await using TestApp app = await AppAsync(configure: options =>
        {
            options.Store = store;
            options.OnCompleted = null;
        });
        for (int i = 0; i < 10; i++)
        {
            byte[] chunk = File[(i * 100)..((i + 1) * 100)];
            await app.Client.AppendAsync("f", i * 100, chunked ? Chunked(chunk) : new ByteArrayContent(chunk), 1000, "/upload", ("Repr-Digest", DigestOf(File)))
                .ShouldHaveOffsetAsync((i + 1) * 100, complete: i == 9);
        }

        // The bytes before the last chunk.
        Assert.Equal(900, store.ReadBytes);
    }

    [Fact]
    public async Task Last_chunk_that_is_sent_again_does_not_hash_the_others_again()
    {
        var store = new CountingReadStore(new MemoryUploadStore());
        await using TestApp app = await AppAsync(configure: options =>
        {
            options.Store = store;
            options.OnCompleted = null;
        });
        await app.Client.AppendAsync("f", 0, File[..900], 1000, ("Repr-Digest", DigestOf(File))).ShouldHaveOffsetAsync(900);
        for (int i = 0; i < 3; i++)
        {
            await app.Client.AppendAsync("f", 900, new byte[100], 1000, ("Repr-Digest", DigestOf(File))).ShouldBeProblemAsync(400, Own + "digest-mismatch", 900);
        }

        await app.Client.AppendAsync("f", 900, File[900..], 1000, ("Repr-Digest", DigestOf(File))).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(900, store.ReadBytes);
    }

    /// <param name="isSameTime">Whether the clock shows the same time for both uploads.</param>
    /// <param name="isForeign">Whether another process has removed the first one.</param>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Upload_that_is_created_again_is_hashed_again(bool isSameTime, bool isForeign)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));
        await using TestApp app = await AppAsync(configure: options => options.Store = _store, time: time);
        await app.Client.AppendAsync("f", 0, new byte[900], 1000).ShouldHaveOffsetAsync(900);
        await app.Client.AppendAsync("f", 900, File[900..], 1000, ("Repr-Digest", DigestOf(File))).ShouldBeProblemAsync(400, Own + "digest-mismatch", 900);
        if (isForeign)
        {
            await _store.DeleteAsync(Assert.Single(await _store.ListAsync(new UploadQuery(), default).ToListAsync()).Key, null, default);
        }
        else
        {
            (await app.Client.DeleteUploadAsync("f")).Dispose();
        }

        time.Advance(isSameTime ? TimeSpan.Zero : TimeSpan.FromSeconds(1));
        await app.Client.AppendAsync("f", 0, File[..900], 1000).ShouldHaveOffsetAsync(900);
        await app.Client.AppendAsync("f", 900, File[900..], 1000, ("Repr-Digest", DigestOf(File))).ShouldHaveOffsetAsync(1000, complete: true);
    }

    [Fact]
    public async Task Number_of_hash_states_is_limited()
    {
        var store = new OneByteStore(_store);
        var hasher = new ContentHasher(store);
        for (int round = 0; round < 2; round++)
        {
            store.Opened = 0;
            for (int i = 0; i < 300; i++)
            {
                (await hasher.HashAsync(new UploadKey("owner", $"upload-{i}"), DateTimeOffset.UnixEpoch, DigestAlgorithm.Sha256, 1, default)).Dispose();
            }
        }

        Assert.NotEqual(0, store.Opened);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Content_that_ends_early_or_is_gone_is_not_hashed(bool isGone)
    {
        var hasher = new ContentHasher(isGone ? _store : new OneByteStore(_store));
        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(
            async () => await hasher.HashAsync(new UploadKey("owner", "upload"), DateTimeOffset.UnixEpoch, DigestAlgorithm.Sha256, 2, default));
        Assert.Equal((StoreFailure.Unavailable, 2), (error.Failure, error.DurableOffset));
    }

    [Fact]
    public async Task Requested_digest_has_the_requested_algorithm()
    {
        await using TestApp app = await AppAsync(configure: options => options.Store = _store);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, File, 1000, ("Repr-Digest", DigestOf(File)), ("Want-Repr-Digest", "sha-512=5"));
        Assert.Equal((200, $"sha-512=:{Convert.ToBase64String(SHA512.HashData(File))}:"), ((int)response.StatusCode, response.Header("Repr-Digest")));
    }

    [Fact]
    public async Task Final_upload_with_wrong_digest_is_removed_and_not_hashed_again()
    {
        (string, string) partial = ("Upload-Concat", "partial");
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, options => options.Store = _store);
        string part = await app.Client.CreateAsync(TusApp.Url, 1000, partial);
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{part}"), ("Repr-Digest", DigestOf([1])));
        Assert.Equal(201, (int)created.StatusCode);
        Assert.Equal(204, await app.Client.AppendChunkAsync(part, 0, File).StatusOfAsync());

        // One read of the part and one of the whole.
        Assert.Equal(2, _opened.Count);
        Assert.Equal(404, await app.Client.TusAsync("HEAD", created.Header("Location")!).StatusOfAsync());
        Assert.Equal(1000, await app.Client.OffsetAsync(part));
        Assert.Equal(2, _opened.Count);
        Assert.Equal(460, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{part}"), ("Repr-Digest", DigestOf([1]))).StatusOfAsync());
        Assert.Equal(201, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{part}"), ("Repr-Digest", DigestOf(File))).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Fact]
    public async Task Digest_of_finished_content_is_computed_once()
    {
        await using (TestApp app = await AppAsync(configure: Configure))
        {
            await app.Client.AppendAsync("f", 0, File, 1000).ShouldHaveOffsetAsync(1000, complete: true);
            await app.Client.AppendAsync("f", 1000, [], 1000, ("Repr-Digest", DigestOf([1]))).ShouldBeProblemAsync(409, Own + "different-content", 1000);
        }

        _opened.Clear();
        await using TestApp next = await AppAsync(configure: Configure);
        await next.Client.AppendAsync("f", 1000, [], 1000, ("Repr-Digest", DigestOf([2]))).ShouldBeProblemAsync(409, Own + "different-content", 1000);
        await next.Client.AppendAsync("f", 1000, [], 1000, ("Repr-Digest", DigestOf(File))).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Empty(_opened);

        void Configure(ResumableUploadOptions options)
        {
            options.Store = _store;
            options.OnCompleted = null;
        }
    }

    [Fact]
    public async Task Stop_of_the_server_ends_the_verification()
    {
        var store = new CountingReadStore(new MemoryUploadStore()) { IsBlocked = true };
        string url;
        Task<HttpResponseMessage> last;
        await using (TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, options => options.Store = store))
        {
            url = await app.Client.CreateAsync(TusApp.Url, 1000, ("Repr-Digest", DigestOf(File)));
            last = app.Client.AppendChunkAsync(url, 0, File);
            await Eventually.WithinAsync(store.ReadStarted.Task);
            app.App.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
            using HttpResponseMessage response = await Eventually.WithinAsync(last);
            Assert.Equal(503, (int)response.StatusCode);
        }

        store.IsBlocked = false;
        await using TusApp next = await TusApp.StartAsync(TusApp.ReadyMade, options => options.Store = store);
        Assert.Equal(204, await next.Client.AppendChunkAsync(url, 1000, []).StatusOfAsync());
        Assert.Equal(File, Assert.Single(next.Seen).Content);
    }

    private static string DigestOf(byte[] bytes) => $"sha-256=:{Convert.ToBase64String(SHA256.HashData(bytes))}:";

    /// <summary>A store in which every upload has one byte.</summary>
    private sealed class OneByteStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
    {
        public int Opened { get; set; }

        public override ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
        {
            Opened++;
            return ValueTask.FromResult<Stream?>(new MemoryStream([1]));
        }
    }

    /// <summary>Counts the bytes that are read from the store, or blocks the reads.</summary>
    private sealed class CountingReadStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
    {
        public long ReadBytes { get; set; }

        public bool IsBlocked { get; set; }

        public TaskCompletionSource ReadStarted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
        {
            await using Stream? stream = await InnerStore.OpenReadAsync(key, cancellationToken);
            var copy = new CountingStream(this);
            await stream!.CopyToAsync(copy, cancellationToken);
            copy.Position = 0;
            return copy;
        }

        private sealed class CountingStream(CountingReadStore store) : MemoryStream
        {
            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                if (store.IsBlocked)
                {
                    store.ReadStarted.TrySetResult();
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                }

                int read = await base.ReadAsync(buffer, cancellationToken);
                store.ReadBytes += read;
                return read;
            }
        }
    }
}
