using ResumableUploads.Client;

namespace ResumableUploads.UnitTests.Client;

public sealed class FileUploadStateStoreTests : IDisposable
{
    private const string Key = "0123456789abcdef";
    private static readonly UploadStateEntry State = new(new UploadReference(UploadProtocol.Tus, new Uri("https://example.com/upload/1")), 10, "fingerprint");
    private readonly string _directory = Directory.CreateTempSubdirectory("client-state-").FullName;

    private FileUploadStateStore Store => new(Path.Combine(_directory, "states"));

    private string FilePath => Path.Combine(_directory, "states", Key + ".json");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task State_is_found_until_it_is_removed()
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        Assert.Null(await Store.GetAsync(Key, cancellationToken));
        await Store.RemoveAsync(Key, cancellationToken);
        await Store.SetAsync(Key, State, cancellationToken);
        Assert.Equal(State, await Store.GetAsync(Key, cancellationToken));
        UploadStateEntry other = new(new UploadReference(UploadProtocol.FileId, new Uri("https://example.com/upload"), "ä"), null, "");
        await Store.SetAsync(Key, other, cancellationToken);
        Assert.Equal(other, await Store.GetAsync(Key, cancellationToken));
        Assert.Equal([FilePath], Directory.GetFiles(Path.Combine(_directory, "states")));
        await Store.RemoveAsync(Key, cancellationToken);
        Assert.Null(await Store.GetAsync(Key, cancellationToken));
    }

    [Fact]
    public async Task Files_are_private()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        await Store.SetAsync(Key, State, TestContext.Current.CancellationToken);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(FilePath)!));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public async Task Directory_that_others_can_write_to_is_rejected(UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        await Store.SetAsync(Key, State, TestContext.Current.CancellationToken);
        string directory = Path.GetDirectoryName(FilePath)!;
        File.SetUnixFileMode(directory, File.GetUnixFileMode(directory) | mode);
        IOException exception = await Assert.ThrowsAsync<IOException>(async () => await Store.GetAsync(Key, TestContext.Current.CancellationToken));
        Assert.Contains(directory, exception.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(async () => await Store.SetAsync(Key, State, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"upload\":{\"protocol\":\"Tus\",\"uri\":\"relative\"},\"fingerprint\":\"a\"}")]
    [InlineData("{\"upload\":{\"protocol\":\"Unknown\",\"uri\":\"https://example.com\"},\"fingerprint\":\"a\"}")]
    public async Task Damaged_file_is_no_state(string content)
    {
        await Store.SetAsync(Key, State, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(FilePath, content, TestContext.Current.CancellationToken);
        Assert.Null(await Store.GetAsync(Key, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("")]
    [InlineData("x y")]
    public async Task Key_that_is_not_hexadecimal_is_rejected(string key) =>
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.GetAsync(key, TestContext.Current.CancellationToken));
}
