using System.IO;
using System.Text.RegularExpressions;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>Writes a copy of a README whose links lead to the repository, because a package contains no other document.</summary>
public sealed class AbsoluteLinks : Task
{
    [Required]
    public string Source { get; set; }

    [Required]
    public string Destination { get; set; }

    /// <summary>The URL of the repository, without a slash at the end.</summary>
    [Required]
    public string RepositoryUrl { get; set; }

    [Required]
    public string Commit { get; set; }

    public override bool Execute()
    {
        string text = Regex.Replace(
            File.ReadAllText(Source),
            @"(?<image>!?)(?<label>\[(?:[^\[\]]|\[[^\[\]]*\])*\])\((?!#|[a-z]+:)(?:\.\./)*(?<path>[^)]+)\)",
            match => $"{match.Groups["image"]}{match.Groups["label"]}({RepositoryUrl}/{(match.Groups["image"].Length > 0 ? "raw" : "blob")}/{Commit}/{match.Groups["path"]})");
        Directory.CreateDirectory(Path.GetDirectoryName(Destination));
        File.WriteAllText(Destination, text);
        return true;
    }
}
