using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Ownership;

namespace ResumableUploads.Testing.Servers;

/// <summary>A directory of uploads, looked at from outside while no process or another one works in it. It is removed in the end.</summary>
public sealed class UploadDirectory : IDisposable
{
    private readonly DirectoryInfo? _own;

    public UploadDirectory()
    {
        _own = Directory.CreateTempSubdirectory("crash-test-");
        Root = Path.Combine(_own.FullName, "uploads");
    }

    /// <param name="root">A directory that somebody else removes.</param>
    public UploadDirectory(string root) => Root = root;

    public string Root { get; }

    public string Finished => Path.Combine(Root, "finished");

    /// <summary>What the handler has finished.</summary>
    public string[] FinishedFiles => Directory.Exists(Finished) ? Directory.GetFiles(Finished) : [];

    /// <summary>The directory of one upload, whether it is there or not.</summary>
    public string Of(string fileId, string path = "/upload")
    {
        UploadKey key = UploadKeyFactory.FromFileId("anonymous", path, Encoding.Latin1.GetBytes(fileId));
        return Path.Combine(Root, "uploads", key.Owner, key.Id[..2], key.Id);
    }

    public string RecordOf(string fileId) => Path.Combine(Of(fileId), "record.json");

    /// <summary>The file of its bytes, or null while there is none.</summary>
    public string? DataOf(string fileId, string path = "/upload") => Find(fileId, "*.data", path);

    public string? MarkOf(string fileId) => Find(fileId, "*.mark");

    /// <summary>The bytes on the disk; none where there is no file.</summary>
    public byte[] BytesOf(string fileId) => DataOf(fileId) is { } path ? File.ReadAllBytes(path) : [];

    /// <summary>Waits until the server has written that much. (A status request would end the append.)</summary>
    public async Task HasAsync(string fileId, long length, string path = "/upload")
    {
        using var patience = new CancellationTokenSource(ChildHost.Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (DataOf(fileId, path) is not { } file || new FileInfo(file).Length < length)
        {
            Assert.True(await timer.WaitForNextTickAsync(patience.Token));
        }
    }

    /// <summary>How often the handler was started for an upload.</summary>
    public int RunsOf(string fileName) =>
        Directory.Exists(Path.Combine(Root, "runs")) ? Directory.GetFiles(Path.Combine(Root, "runs"), fileName + ".*").Length : 0;

    /// <summary>Asserts that an upload was finished exactly once, with this content.</summary>
    public void AssertFinished(string fileName, byte[] content)
    {
        string stem = Path.GetFileNameWithoutExtension(fileName);
        string path = Assert.Single(Directory.GetFiles(Finished, stem + "*"));
        Assert.Equal(fileName, Path.GetFileName(path));
        Assert.Equal(
            Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(content)),
            Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))));
    }

    public void Dispose() => _own?.Delete(recursive: true);

    private string? Find(string fileId, string pattern, string path = "/upload") =>
        Directory.Exists(Of(fileId, path)) ? Directory.GetFiles(Of(fileId, path), pattern).SingleOrDefault() : null;
}
