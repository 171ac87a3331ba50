using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Tickets;

/// <summary>Saves photos, and lists those that a user has received since the app was started.</summary>
public sealed class Photos(IConfiguration configuration, IHostEnvironment environment)
{
    private readonly string _directory = Path.GetFullPath(configuration["Photos"] ?? "photos", environment.ContentRootPath);
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Photo>> _photos = new(StringComparer.Ordinal);

    /// <summary>Returns the photos of a user.</summary>
    public IEnumerable<Photo> List(string user) => _photos.TryGetValue(user, out ConcurrentQueue<Photo>? photos) ? photos : [];

    /// <summary>Saves a photo under a random name. The name that the client has sent is for display only.</summary>
    public async Task<Photo> SaveAsync(string user, string? name, Stream content, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_directory);
        string path = Path.Combine(_directory, Path.GetRandomFileName());
        try
        {
            await using FileStream file = File.Create(path);
            await content.CopyToAsync(file, cancellationToken);
        }
        catch
        {
            File.Delete(path);
            throw;
        }

        await using FileStream saved = File.OpenRead(path);
        var photo = new Photo(name ?? "photo", saved.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(saved, cancellationToken)));
        _photos.GetOrAdd(user, static _ => new ConcurrentQueue<Photo>()).Enqueue(photo);
        return photo;
    }
}

/// <summary>A saved photo.</summary>
public sealed record Photo(string Name, long Size, string Digest);

/// <summary>The user to sign in.</summary>
public sealed record SignIn(string Name);
