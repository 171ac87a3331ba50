using System.Diagnostics.CodeAnalysis;

namespace ResumableUploads.Abstractions;

/// <summary>
/// Identifies an upload in a store by its owner and its id. Both parts are safe as the name of a file or blob: 1 to
/// <see cref="MaxPartLength"/> lowercase ASCII letters, digits and hyphens, and no hyphen at the start.
/// </summary>
/// <remarks>The engine creates keys from hashes, so that they never contain text from a client.</remarks>
public readonly struct UploadKey : IEquatable<UploadKey>
{
    /// <summary>The maximum length, in characters, of each part: 80.</summary>
    public const int MaxPartLength = 80;

    private readonly string? _owner;
    private readonly string? _id;

    /// <summary>Initializes a new instance of the <see cref="UploadKey"/> struct.</summary>
    /// <param name="owner">The owner of the upload.</param>
    /// <param name="id">The id of the upload, unique for the owner.</param>
    /// <exception cref="ArgumentException">A part is empty, too long, or contains a character that is not allowed.</exception>
    public UploadKey(string owner, string id)
    {
        if (!IsValidPart(owner))
        {
            throw new ArgumentException("The owner must have 1 to 80 of the characters a-z, 0-9 and '-', and must not start with '-'.", nameof(owner));
        }

        if (!IsValidPart(id))
        {
            throw new ArgumentException("The id must have 1 to 80 of the characters a-z, 0-9 and '-', and must not start with '-'.", nameof(id));
        }

        _owner = owner;
        _id = id;
    }

    /// <summary>Gets the owner of the upload.</summary>
    /// <exception cref="InvalidOperationException">The key was not initialized: it is <see langword="default"/>.</exception>
    public string Owner => _owner ?? throw new InvalidOperationException("The key is not initialized.");

    /// <summary>Gets the id of the upload. The same id under two owners is two uploads.</summary>
    /// <exception cref="InvalidOperationException">The key was not initialized: it is <see langword="default"/>.</exception>
    public string Id => _id ?? throw new InvalidOperationException("The key is not initialized.");

    /// <summary>Returns whether a string can be the owner or the id of a key.</summary>
    /// <param name="part">The string to check.</param>
    /// <returns><see langword="true"/> if the string is valid; otherwise <see langword="false"/>.</returns>
    public static bool IsValidPart([NotNullWhen(true)] string? part)
    {
        if (part is null || part.Length is 0 or > MaxPartLength || part[0] == '-')
        {
            return false;
        }

        foreach (char c in part)
        {
            if (!(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public bool Equals(UploadKey other) =>
        string.Equals(_id, other._id, StringComparison.Ordinal) && string.Equals(_owner, other._owner, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is UploadKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_owner, _id);

    /// <summary>Returns the key as <c>owner/id</c>.</summary>
    /// <returns>The key as a string.</returns>
    public override string ToString() => $"{_owner}/{_id}";

    /// <summary>Returns whether two keys identify the same upload.</summary>
    /// <param name="left">The first key.</param>
    /// <param name="right">The second key.</param>
    /// <returns><see langword="true"/> if the keys are equal; otherwise <see langword="false"/>.</returns>
    public static bool operator ==(UploadKey left, UploadKey right) => left.Equals(right);

    /// <summary>Returns whether two keys identify different uploads.</summary>
    /// <param name="left">The first key.</param>
    /// <param name="right">The second key.</param>
    /// <returns><see langword="true"/> if the keys differ; otherwise <see langword="false"/>.</returns>
    public static bool operator !=(UploadKey left, UploadKey right) => !left.Equals(right);
}
