using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Events;

/// <summary>Tests of <c>CompletedUpload.MoveToFileAsync</c> and <c>CompletedUpload.MoveToDirectoryAsync</c> with both stores.</summary>
public sealed class MoveTests : IDisposable
{
    private readonly string _target = Directory.CreateTempSubdirectory("uploads-moved-").FullName;

    public void Dispose() => Directory.Delete(_target, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MoveToFile_creates_directory_and_moves_file(bool inMemory)
    {
        byte[] file = RandomNumberGenerator.GetBytes(100_000);
        string path = Path.Combine(_target, "new", "and", "deep", "a.bin");
        string? movedPath = null;
        long inode = 0;
        await using TestApp app = await StartAsync(inMemory, async (upload, app) =>
        {
            inode = inMemory ? 0 : Inode(Assert.Single(DataFiles(app())));
            movedPath = await upload.MoveToFileAsync(path);
        });
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, file, file.Length);

        Assert.Equal((200, path), ((int)response.StatusCode, movedPath));
        Assert.Equal(file, await File.ReadAllBytesAsync(path));
        if (!inMemory)
        {
            // The file was renamed, not copied, and the store no longer has it.
            Assert.Equal(inode, Inode(path));
            Assert.Empty(DataFiles(app));
        }

        Assert.Single(Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!));
        Assert.Equal(file.Length, await app.Client.StatusAsync("f"));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task MoveToFile_replaces_existing_file_only_with_overwrite(bool inMemory, bool overwrite)
    {
        string path = Path.Combine(_target, "a.txt");
        await File.WriteAllTextAsync(path, "existing content");
        Exception? thrown = null;
        await using TestApp app = await StartAsync(inMemory, async (upload, _) =>
            thrown = await Record.ExceptionAsync(() => upload.MoveToFileAsync(path, overwrite)));
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[9], 9);

        Assert.Equal(overwrite ? new byte[9] : "existing content"u8.ToArray(), await File.ReadAllBytesAsync(path));
        Assert.Equal(overwrite, thrown is null);
        if (!overwrite)
        {
            Assert.Contains(path, Assert.IsType<IOException>(thrown).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MoveToDirectory_of_twenty_files_with_same_name_creates_unique_names(bool inMemory)
    {
        await using TestApp app = await StartAsync(inMemory, async (upload, _) => await upload.MoveToDirectoryAsync(_target));
        byte[][] files = [.. Enumerable.Range(0, 20).Select(static number => Enumerable.Repeat((byte)number, 1000).ToArray())];
        HttpResponseMessage[] responses = await Task.WhenAll(files.Select((file, number) =>
            app.Client.AppendAsync($"f{number}", 0, file, file.Length, ("X-File-Name", "..%2Fa.txt"))));

        Assert.All(responses, static response => Assert.Equal(200, (int)response.StatusCode));
        string[] names = [.. Directory.GetFileSystemEntries(_target).Select(static path => Path.GetFileName(path))];
        Assert.Equal(20, names.Length);
        Assert.Superset(new HashSet<string> { "a.txt", "a (1).txt", "a (2).txt", "a (3).txt" }, names.ToHashSet());
        Assert.All(names, static name => Assert.Matches(@"^a( \(([1-3]|[0-9a-f]{8})\))?\.txt$", name));
        Assert.Equal(
            Enumerable.Range(0, 20).Select(static number => (byte)number),
            Directory.GetFiles(_target).Select(static path => File.ReadAllBytes(path).Distinct().Single()).Order());
        foreach (HttpResponseMessage response in responses)
        {
            response.Dispose();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MoveToDirectory_of_identical_files_keeps_both(bool inMemory)
    {
        await using TestApp app = await StartAsync(inMemory, async (upload, _) => await upload.MoveToDirectoryAsync(_target));
        foreach (string id in (string[])["f", "g"])
        {
            using HttpResponseMessage response = await app.Client.AppendAsync(id, 0, new byte[100], 100, ("X-File-Name", "a.txt"));
            Assert.Equal(200, (int)response.StatusCode);
        }

        Assert.Equal(2, Directory.GetFiles(_target).Length);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task Handler_that_fails_after_move_can_move_again(bool inMemory, bool toDirectory)
    {
        var paths = new List<string>();
        await using TestApp app = await StartAsync(inMemory, async (upload, _) =>
        {
            paths.Add(toDirectory ? await upload.MoveToDirectoryAsync(_target) : await upload.MoveToFileAsync(Path.Combine(_target, "a.txt")));
            paths.Add(toDirectory ? await upload.MoveToDirectoryAsync(_target) : await upload.MoveToFileAsync(Path.Combine(_target, "a.txt")));
            if (!upload.IsRepeat)
            {
                throw new InvalidOperationException("The notification failed.");
            }
        });
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[100], 100, ("X-File-Name", "a.txt"));
        using HttpResponseMessage second = await app.Client.AppendAsync("f", 100, [], 100);

        Assert.Equal((503, 200), ((int)first.StatusCode, (int)second.StatusCode));
        Assert.Equal(Enumerable.Repeat(Path.Combine(_target, "a.txt"), 4), paths);
        Assert.Single(Directory.GetFileSystemEntries(_target));
    }

    [Fact]
    public async Task OpenRead_after_move_throws()
    {
        Exception? thrown = null;
        await using TestApp app = await StartAsync(inMemory: false, async (upload, _) =>
        {
            await upload.MoveToDirectoryAsync(_target);
            thrown = await Record.ExceptionAsync(() => upload.OpenReadAsync());
        });
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[10], 10);

        Assert.Equal("The content was moved away.", Assert.IsType<InvalidOperationException>(thrown).Message);
    }

    private static async Task<TestApp> StartAsync(bool inMemory, Func<CompletedUpload, Func<TestApp>, Task> handler)
    {
        TestApp? app = null;
        return app = await TestApp.StartAsync(
            options =>
            {
                if (inMemory)
                {
                    options.UseMemoryStore();
                }

                options.OnCompleted = (upload, _) => handler(upload, () => app!);
            },
            onTestHost: true);
    }

    private static string[] DataFiles(TestApp app) =>
        Directory.GetFiles(Path.Combine(app.Directory, "uploads"), "*.data", SearchOption.AllDirectories);

    private static long Inode(string path)
    {
        using System.Diagnostics.Process stat = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%i", path]) { RedirectStandardOutput = true })!;
        return long.Parse(stat.StandardOutput.ReadToEnd());
    }
}
