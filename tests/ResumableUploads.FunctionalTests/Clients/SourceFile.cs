using System.Security.Cryptography;

namespace ResumableUploads.FunctionalTests.Clients;

/// <summary>A file of random bytes in a temporary directory, which is deleted on disposal.</summary>
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

    /// <summary>Gets the SHA-256 of the content in uppercase hexadecimal.</summary>
    public string Hash { get; }

    public static async Task<string> HashOfAsync(string path)
    {
        await using FileStream file = File.OpenRead(path);
        return Convert.ToHexString(await SHA256.HashDataAsync(file));
    }

    /// <summary>Asserts that this file is the only completed file of a host.</summary>
    public async Task AssertArrivedAloneAsync(SampleHostProcess host)
    {
        string path = Assert.Single(host.Arrived);
        Assert.Equal(Name, System.IO.Path.GetFileName(path));
        Assert.Equal(Hash, await HashOfAsync(path));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
