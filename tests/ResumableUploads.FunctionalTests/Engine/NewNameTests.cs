using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Engine;

/// <summary>A store may be a network away: it is not asked for an upload whose name the server has just drawn.</summary>
public class NewNameTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public async Task An_upload_that_the_server_names_is_made_without_looking_for_it(int length)
    {
        using var memory = new MemoryUploadStore();
        var store = new CountingStore(memory);
        await using TestApp app = await TestApp.StartAsync(options => options.Store = store);

        await app.Client.CreateAsync("/upload", length + 10);
        using HttpResponseMessage byIetf = await app.Client.IetfAsync(
            "POST", "/upload", IetfClient.Newest, new ByteArrayContent(new byte[length]), IetfClient.Completeness(IetfClient.Newest, false));
        Assert.Equal(201, (int)byIetf.StatusCode);
        Assert.Equal((2, 0), (store.Created, store.Asked));

        // Nobody but the client knows whether the file of this name is there.
        using HttpResponseMessage byFileId = await app.Client.AppendAsync("f", 0, new byte[length + 1], length + 10);
        Assert.Equal(200, (int)byFileId.StatusCode);
        Assert.Equal((3, 1), (store.Created, store.Asked));
    }

    [Fact]
    public async Task A_name_that_is_there_all_the_same_is_not_taken_from_its_upload()
    {
        using var memory = new MemoryUploadStore();
        var store = new CountingStore(memory) { Before = key => memory.CreateAsync(key, new UploadRecord { Length = 3, Data = new byte[1] }, default) };
        await using TestApp app = await TestApp.StartAsync(options => options.Store = store);
        using HttpResponseMessage answer = await app.Client.IetfAsync(
            "POST", "/upload", IetfClient.Newest, new ByteArrayContent(new byte[10]), IetfClient.Completeness(IetfClient.Newest, true));

        Assert.False(answer.IsSuccessStatusCode);
        UploadInfo there = Assert.Single(await memory.ListAsync(new UploadQuery(), default).ToListAsync(TestContext.Current.CancellationToken));
        Assert.Equal((0, 3, UploadState.Receiving), (there.Offset, there.Length, there.State));
    }

    private sealed class CountingStore(IUploadStore inner) : BrokenStore(inner)
    {
        public int Created { get; private set; }

        public int Asked { get; private set; }

        public Func<UploadKey, ValueTask<CreateResult>>? Before { get; init; }

        public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
        {
            Created++;
            if (Before is { } before)
            {
                await before(key);
            }

            return await base.CreateAsync(key, record, cancellationToken);
        }

        public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
        {
            Asked++;
            return base.GetAsync(key, cancellationToken);
        }
    }
}
