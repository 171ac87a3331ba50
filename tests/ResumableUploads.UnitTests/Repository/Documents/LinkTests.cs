using ResumableUploads.Testing;
using ResumableUploads.Testing.Documents;

namespace ResumableUploads.UnitTests.Repository.Documents;

public class LinkTests
{
    public static TheoryData<string> Documents => [.. RepositoryFiles.Files("", ".md")];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Relative_links_lead_to_existing_files_and_anchors(string file)
    {
        Findings.AssertNone("Broken links", BrokenLinks(file, RepositoryFiles.Read(file)));
    }

    [Theory]
    [InlineData("[a](docs/no-such-page.md)")]
    [InlineData("[a](docs/configuration.md#no-such-anchor)")]
    [InlineData("[a](#no-such-anchor)")]
    [InlineData("![a](no-such-image.svg)")]
    [InlineData("[a]: no-such-file")]
    [InlineData("<a href=\"no-such-file\">a</a>")]
    public void BrokenLinks_planted_link_is_found(string markdown)
    {
        Assert.Single(BrokenLinks("README.md", $"# Title\n\n{markdown}\n"));
    }

    [Theory]
    [InlineData("[a](docs/configuration.md#options)")]
    [InlineData("[a](#a-title-with-code)")]
    [InlineData("[a](docs)")]
    [InlineData("[a](https://example.org/no-such-page)")]
    [InlineData("`[a](no-such-file)`")]
    [InlineData("```sh\n[a](no-such-file)\n```")]
    public void BrokenLinks_valid_link_is_ignored(string markdown)
    {
        Assert.Empty(BrokenLinks("README.md", $"# A title, with `code`\n\n{markdown}\n"));
    }

    private static IEnumerable<string> BrokenLinks(string file, string markdown)
    {
        var document = new MarkdownDocument(markdown);
        foreach ((int line, string target) in document.Links())
        {
            if (Uri.TryCreate(target, UriKind.Absolute, out _))
            {
                continue;
            }

            string[] parts = target.Split('#', 2);
            string path = Path.GetFullPath(Path.Combine(RepositoryFiles.Root, Path.GetDirectoryName(file)!, Uri.UnescapeDataString(parts[0])));
            if (parts[0].Length > 0 && !Path.Exists(path))
            {
                yield return $"{file}({line}): {target}: there is no such file.";
            }
            else if (parts.Length == 2 && (parts[0].Length == 0 || path.EndsWith(".md", StringComparison.Ordinal)))
            {
                MarkdownDocument linked = parts[0].Length == 0 ? document : new MarkdownDocument(File.ReadAllText(path));
                if (!linked.Anchors().Contains(parts[1]))
                {
                    yield return $"{file}({line}): {target}: there is no such heading.";
                }
            }
        }
    }
}
