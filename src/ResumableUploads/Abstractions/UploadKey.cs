using System.Diagnostics.CodeAnalysis;

namespace ResumableUploads.Abstractions;

/// <summary>
/// The name of an upload in a store: its owner and its id. Both parts are safe as a file or blob name as they are:
/// lower-case ASCII letters, digits and hyphens, 1 to <see cref="MaxPartLength"/> characters, a letter or digit first.
/// </summary>
/// <remarks>A client's own text is never in a key; it is hashed into one before a store is asked.</remarks>
public readonly struct UploadKey : IEquatable<UploadKey>
{
    /// <summary>The most characters that either part has: 80.</summary>
    public const int MaxPartLength = 80;

    private readonly string? _owner;
    private readonly string? _id;

    /// <summary>Makes a key of two parts.</summary>
    /// <param name="owner">Whose upload it is.</param>
    /// <param name="id">Which of the owner's uploads it is.</param>
    /// <exception cref="ArgumentException">A part has a character that is not allowed, is empty or too long.</exception>
    public UploadKey(string owner, string id)
    {
        if (!IsValidPart(owner))
        {
            throw new ArgumentException("An owner is 1 to 80 of a-z, 0-9 and '-', and starts with a letter or digit.", nameof(owner));
        }

        if (!IsValidPart(id))
        {
            throw new ArgumentException("An id is 1 to 80 of a-z, 0-9 and '-', and starts with a letter or digit.", nameof(id));
        }

        _owner = owner;
        _id = id;
    }

    /// <summary>Whose upload it is. The same id under two owners is two uploads.</summary>
    public string Owner => _owner ?? throw new InvalidOperationException("The key is not initialised.");

    /// <summary>Which of the owner's uploads it is.</summary>
    public string Id => _id ?? throw new InvalidOperationException("The key is not initialised.");

    /// <summary>Whether a text may be the owner or the id of a key.</summary>
    /// <param name="part">The text to look at.</param>
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

    /// <summary>The key as <c>owner/id</c>.</summary>
    public override string ToString() => $"{_owner}/{_id}";

    /// <summary>Whether two keys name the same upload.</summary>
    public static bool operator ==(UploadKey left, UploadKey right) => left.Equals(right);

    /// <summary>Whether two keys name different uploads.</summary>
    public static bool operator !=(UploadKey left, UploadKey right) => !left.Equals(right);
}
