using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Hosting.Events;

/// <summary>Handlers have access to the content of their own upload only, not to that of a later one with the same key.</summary>
public class ReplacedUploadContentTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Content_of_a_new_upload_is_neither_read_nor_moved(bool inMemory)
    {
        var thrown = new List<Exception?>();
        TestApp? running = null;
        IUploadStore? store = null;
        await using TestApp app = running = await TestApp.StartAsync(
            options =>
            {
                options.Store = store = CreateStore(inMemory, options.Directory!);
                options.OnCompleted = async (upload, _) =>
                {
                    await ReplaceAsync(store, upload.Key, running!.Client);
                    thrown.Add(await Record.ExceptionAsync(() => upload.OpenReadAsync()));
                    thrown.Add(await Record.ExceptionAsync(() => upload.MoveToDirectoryAsync("inbox")));
                    thrown.Add(await Record.ExceptionAsync(() => upload.MoveToFileAsync("inbox/b", overwrite: true)));
                };
            },
            onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[10], 10);
        Assert.Equal(409, (int)response.StatusCode);
        Assert.Equal(3, thrown.Count);
        Assert.All(thrown, static exception => Assert.Contains("replaced", Assert.IsType<InvalidOperationException>(exception).Message, StringComparison.Ordinal));
        Assert.Empty(Directory.GetFiles(Path.Combine(app.Directory, "inbox")));
        Assert.Equal(3, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task Endpoint_does_not_receive_the_content_of_a_new_upload()
    {
        int runs = 0;
        var inner = new MemoryUploadStore();
        var store = new HookedStore(inner);
        await using TestApp app = await EndpointApp.StartAsync(
            app => app.MapPost("/files", (HttpRequest _) => ++runs).WithResumableUploads(),
            options => options.Store = store,
            onTestHost: true);
        store.BeforeOpenRead = async key =>
        {
            store.BeforeOpenRead = null;
            await ReplaceAsync(inner, key, app.Client, "/files");
        };
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[10]), 10, "/files");
        Assert.Equal((409, 0), ((int)response.StatusCode, runs));
        Assert.Equal(3, await app.Client.StatusAsync("f", "/files"));
    }

    /// <summary>Another upload of the same bytes takes the name while the first attempt of a handler has failed before its copy.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Equal_file_of_another_upload_is_not_taken_by_a_later_attempt(bool inMemory)
    {
        var paths = new List<string>();
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Store = CreateStore(inMemory, options.Directory!);
                options.OnCompleted = async (upload, _) =>
                {
                    if (upload.RawFileName == "fails" && !upload.IsRepeat)
                    {
                        throw new InvalidOperationException("fails");
                    }

                    string path = await upload.MoveToDirectoryAsync("inbox");
                    paths.Add(path);
                    Assert.Equal(path, await upload.MoveToDirectoryAsync("inbox"));
                };
                options.OnCreating = static (upload, _) =>
                {
                    upload.SetFileName("a.txt");
                    return Task.CompletedTask;
                };
            },
            onTestHost: true);
        using HttpResponseMessage failed = await app.Client.AppendAsync("f", 0, new byte[10], 10, ("X-File-Name", "fails"));
        using HttpResponseMessage other = await app.Client.AppendAsync("g", 0, new byte[10], 10, ("X-File-Name", "works"));
        using HttpResponseMessage repeated = await app.Client.AppendAsync("f", 10, [], 10);
        Assert.Equal((503, 200, 200), ((int)failed.StatusCode, (int)other.StatusCode, (int)repeated.StatusCode));
        Assert.Equal(["a.txt", "a (1).txt"], paths.Select(Path.GetFileName));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(app.Directory, "inbox")).Length);
    }

    private static IUploadStore CreateStore(bool inMemory, string directory) => inMemory
        ? new MemoryUploadStore()
        : new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = directory, Durability = Durability.ProcessCrash });

    /// <summary>Deletes an upload, as another process does, and sends the first bytes of another one with the same id.</summary>
    private static async Task ReplaceAsync(IUploadStore store, UploadKey key, HttpClient client, string path = "/upload")
    {
        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(key, null, default)).Status);
        using HttpResponseMessage response = await client.AppendAsync("f", 0, new ByteArrayContent([1, 2, 3]), 5, path);
        Assert.True(response.IsSuccessStatusCode, response.StatusCode.ToString());
    }
}
