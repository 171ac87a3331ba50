using System.Security.Cryptography;

namespace ResumableUploads.FunctionalTests.Clients;

/// <summary>A file of random bytes to choose in a page, in a directory of its own that goes with it.</summary>
public sealed class SourceFile : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("uploads-source-").FullName;

    public SourceFile(string name, int size)
    {
        Path = System.IO.Path.Combine(_directory, name);
        byte[] content = RandomNumberGenerator.GetBytes(size);
        File.WriteAllBytes(Path, content);
        Hash = Convert.ToHexString(SHA256.HashData(content));
        Size = size;
    }

    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    public int Size { get; }

    /// <summary>SHA-256 in hexadecimal.</summary>
    public string Hash { get; }

    public static async Task<string> HashOfAsync(string path)
    {
        await using FileStream file = File.OpenRead(path);
        return Convert.ToHexString(await SHA256.HashDataAsync(file));
    }

    /// <summary>Whether this file, and nothing else, has arrived.</summary>
    public async Task AssertArrivedAloneAsync(SampleHostProcess host)
    {
        string path = Assert.Single(host.Arrived);
        Assert.Equal(Name, System.IO.Path.GetFileName(path));
        Assert.Equal(Hash, await HashOfAsync(path));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
