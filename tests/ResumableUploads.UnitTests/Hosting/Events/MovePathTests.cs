using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Events;

/// <summary>Where <c>MoveToDirectoryAsync</c> and <c>MoveToFileAsync</c> move content to.</summary>
public class MovePathTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Relative_paths_are_relative_to_the_content_root(bool inMemory)
    {
        var paths = new List<string>();
        await using TestApp app = await StartAsync(inMemory, async upload => paths.Add(
            upload.FileName == "a" ? await upload.MoveToDirectoryAsync("in/box") : await upload.MoveToFileAsync(Path.Combine("other", "c"))));
        await UploadAsync(app, "a");
        await UploadAsync(app, "b");
        Assert.Equal([Path.Combine(app.Directory, "in", "box", "a"), Path.Combine(app.Directory, "other", "c")], paths);
        Assert.All(paths, static path => Assert.True(File.Exists(path)));
    }

    [Theory]
    [InlineData(@"C:\inbox")]
    [InlineData("D:/inbox")]
    [InlineData(@"in\box")]
    public async Task Windows_path_on_another_system_throws(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var thrown = new List<Exception?>();
        await using TestApp app = await StartAsync(inMemory: false, async upload =>
        {
            thrown.Add(await Record.ExceptionAsync(() => upload.MoveToDirectoryAsync(path)));
            thrown.Add(await Record.ExceptionAsync(() => upload.MoveToFileAsync(path)));
        });
        await UploadAsync(app, "a");
        Assert.All(thrown, static exception => Assert.Contains("Windows path", Assert.IsType<ArgumentException>(exception).Message, StringComparison.Ordinal));
    }

    /// <summary>The number of attempts does not grow with the number of files of the same name, and a repeated call finds the file again.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Many_files_of_one_name_cost_a_constant_number_of_attempts(bool inMemory)
    {
        const int Existing = 300;
        string? moved = null;
        string? movedAgain = null;
        CountingStore? store = null;
        await using TestApp app = await StartAsync(
            inMemory,
            async upload =>
            {
                moved = await upload.MoveToDirectoryAsync("inbox");
                movedAgain = await upload.MoveToDirectoryAsync("inbox");
            },
            options =>
            {
                if (!inMemory)
                {
                    options.Store = store = new CountingStore(new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = options.Directory!, Durability = Durability.ProcessCrash }));
                }
            });
        string inbox = Directory.CreateDirectory(Path.Combine(app.Directory, "inbox")).FullName;
        for (int number = 0; number < Existing; number++)
        {
            await File.WriteAllTextAsync(Path.Combine(inbox, number == 0 ? "image.jpg" : $"image ({number}).jpg"), "other");
        }

        await UploadAsync(app, "image.jpg");
        Assert.Matches(@"^image \([0-9a-f]{8}\)\.jpg$", Path.GetFileName(moved));
        Assert.Equal(moved, movedAgain);
        Assert.Equal(Existing + 1, Directory.GetFiles(inbox).Length);
        if (store is not null)
        {
            Assert.InRange(store.Moves, 2, 7);
        }
    }

    [Fact]
    public void Names_are_numbered_then_random_and_limited()
    {
        string[] names = [.. UniqueFileNames.Get("a.txt", new UploadKey("owner", "id"))];
        Assert.Equal(["a.txt", "a (1).txt", "a (2).txt", "a (3).txt"], names[..4]);
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.All(names[4..], static name => Assert.Matches(@"^a \([0-9a-f]{8}\)\.txt$", name));
        Assert.InRange(names.Length, 6, 20);
        Assert.Equal(names[4], UniqueFileNames.Get("a.txt", new UploadKey("owner", "id")).ElementAt(4));
        Assert.NotEqual(names[4], UniqueFileNames.Get("a.txt", new UploadKey("owner", "other")).ElementAt(4));
    }

    private static Task<TestApp> StartAsync(bool inMemory, Func<CompletedUpload, Task> completed, Action<ResumableUploadOptions>? configure = null) => TestApp.StartAsync(
        options =>
        {
            if (inMemory)
            {
                options.UseMemoryStore();
            }

            options.OnCompleted = (upload, _) => completed(upload);
            configure?.Invoke(options);
        },
        onTestHost: true);

    private static async Task UploadAsync(TestApp app, string name)
    {
        using HttpResponseMessage response = await app.Client.AppendAsync(name, 0, new byte[10], 10, ("X-File-Name", name));
        Assert.Equal(200, (int)response.StatusCode);
    }

    private sealed class CountingStore(FileSystemUploadStore store) : DelegatingUploadStore(store), IContentMover
    {
        public int Moves { get; private set; }

        public ValueTask<MoveResult> MoveContentAsync(UploadKey key, string version, string path, bool overwrite, CancellationToken cancellationToken)
        {
            Moves++;
            return store.MoveContentAsync(key, version, path, overwrite, cancellationToken);
        }
    }
}
