using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

/// <summary>Only the account of the server can read uploads, whatever the umask of the process allows.</summary>
public class PrivateModeTests
{
    private const UnixFileMode File = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Folder = File | UnixFileMode.UserExecute;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task New_files_and_directories_are_private(bool inMemory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Directory = "store";
                options.FileSystem.Durability = ResumableUploads.Abstractions.Durability.PowerLoss;
                if (inMemory)
                {
                    options.UseMemoryStore();
                }

                options.OnCompleted = static async (upload, _) =>
                {
                    if (upload.Size == 10)
                    {
                        await upload.MoveToDirectoryAsync("inbox");
                        upload.Response = UploadResponse.Text("stored");
                    }
                };
            },
            onTestHost: true);
        foreach ((string id, int size) in new[] { ("unfinished", 9), ("moved", 10), ("kept", 11) })
        {
            using HttpResponseMessage first = await app.Client.AppendAsync(id, 0, new byte[5], size);
            using HttpResponseMessage last = await app.Client.AppendAsync(id, 5, new byte[size == 9 ? 1 : size - 5], size);
            Assert.Equal((200, 200), ((int)first.StatusCode, (int)last.StatusCode));
        }

        foreach (string path in Directory.GetFileSystemEntries(app.Directory, "*", SearchOption.AllDirectories))
        {
            Assert.Equal((path, Directory.Exists(path) ? Folder : File), (path, System.IO.File.GetUnixFileMode(path)));
        }

        Assert.Single(Directory.GetFiles(Path.Combine(app.Directory, "inbox")));
    }
}
