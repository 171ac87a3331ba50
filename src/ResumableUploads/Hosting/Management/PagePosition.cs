using System.Globalization;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.Management;

/// <summary>The position between two pages.</summary>
/// <param name="Store">The index of the store.</param>
/// <param name="After">The last upload of the page before in that store, or null if the next page begins with the first upload of the store.</param>
internal readonly record struct PagePosition(int Store, UploadKey? After)
{
    /// <summary>Returns the position as <c>store:owner/id</c>, or as <c>store:</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Store}:{After}");

    /// <summary>Parses a position. Null is the position before the first page.</summary>
    public static bool TryParse(string? text, out PagePosition position)
    {
        position = default;
        if (text is null)
        {
            return true;
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !int.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out int store))
        {
            return false;
        }

        if (colon == text.Length - 1)
        {
            position = new PagePosition(store, null);
            return true;
        }

        string[] parts = text[(colon + 1)..].Split('/');
        if (parts.Length != 2 || !UploadKey.IsValidPart(parts[0]) || !UploadKey.IsValidPart(parts[1]))
        {
            return false;
        }

        position = new PagePosition(store, new UploadKey(parts[0], parts[1]));
        return true;
    }
}
