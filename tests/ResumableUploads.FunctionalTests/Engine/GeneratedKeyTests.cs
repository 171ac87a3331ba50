using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Engine;

/// <summary>The engine does not look up an upload key that the server has just generated, because a store may be remote.</summary>
public class GeneratedKeyTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public async Task Creation_with_generated_key_does_not_read_store(int length)
    {
        using var memory = new MemoryUploadStore();
        var store = new CountingStore(memory);
        await using TestApp app = await TestApp.StartAsync(options => options.Store = store);

        await app.Client.CreateAsync("/upload", length + 10);
        using HttpResponseMessage byIetf = await app.Client.IetfAsync(
            "POST", "/upload", IetfClient.Newest, new ByteArrayContent(new byte[length]), IetfClient.Completeness(IetfClient.Newest, false));
        Assert.Equal(201, (int)byIetf.StatusCode);
        Assert.Equal((2, 0), (store.CreateCount, store.ReadCount));

        // A file id is chosen by the client, so its upload may exist.
        using HttpResponseMessage byFileId = await app.Client.AppendAsync("f", 0, new byte[length + 1], length + 10);
        Assert.Equal(200, (int)byFileId.StatusCode);
        Assert.Equal((3, 1), (store.CreateCount, store.ReadCount));
    }

    [Fact]
    public async Task Creation_with_existing_key_fails_and_keeps_upload()
    {
        using var memory = new MemoryUploadStore();
        var store = new CountingStore(memory) { BeforeCreate = key => memory.CreateAsync(key, new UploadRecord { Length = 3, Data = new byte[1] }, default) };
        await using TestApp app = await TestApp.StartAsync(options => options.Store = store);
        using HttpResponseMessage response = await app.Client.IetfAsync(
            "POST", "/upload", IetfClient.Newest, new ByteArrayContent(new byte[10]), IetfClient.Completeness(IetfClient.Newest, true));

        Assert.False(response.IsSuccessStatusCode);
        UploadInfo upload = Assert.Single(await memory.ListAsync(new UploadQuery(), default).ToListAsync(TestContext.Current.CancellationToken));
        Assert.Equal((0, 3, UploadState.Receiving), (upload.Offset, upload.Length, upload.State));
    }

    private sealed class CountingStore(IUploadStore inner) : BrokenStore(inner)
    {
        public int CreateCount { get; private set; }

        public int ReadCount { get; private set; }

        public Func<UploadKey, ValueTask<CreateResult>>? BeforeCreate { get; init; }

        public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
        {
            CreateCount++;
            if (BeforeCreate is { } beforeCreate)
            {
                await beforeCreate(key);
            }

            return await base.CreateAsync(key, record, cancellationToken);
        }

        public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
        {
            ReadCount++;
            return base.GetAsync(key, cancellationToken);
        }
    }
}
