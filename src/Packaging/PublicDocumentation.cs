using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>Removes from the documentation file what is not public. The compiler writes the comments of all members.</summary>
public sealed class PublicDocumentation : Task
{
    private static readonly Regex Arguments = new Regex(@"<[^<>]*>");

    [Required]
    public string DocumentationFile { get; set; }

    /// <summary>The files that declare the public API.</summary>
    [Required]
    public string[] ApiFiles { get; set; }

    public override bool Execute()
    {
        var names = new HashSet<string>(ApiFiles.SelectMany(File.ReadLines).Where(line => !line.StartsWith("#", StringComparison.Ordinal)).Select(NameOfDeclaration));
        XDocument document = XDocument.Load(DocumentationFile, LoadOptions.PreserveWhitespace);
        XElement[] hidden = document.Descendants("member").Where(member => !names.Contains(NameOfId((string)member.Attribute("name")))).ToArray();
        foreach (XElement member in hidden)
        {
            (member.PreviousNode as XText)?.Remove();
            member.Remove();
        }

        document.Save(DocumentationFile, SaveOptions.DisableFormatting);
        return true;
    }

    /// <summary>Returns the name in a line of an API file, without modifiers, type arguments, parameters and accessors.</summary>
    private static string NameOfDeclaration(string line)
    {
        string name = line;
        while (Arguments.IsMatch(name))
        {
            name = Arguments.Replace(name, "");
        }

        name = Regex.Replace(name, @"(\(| -> | = |\[).*$", "");
        name = name.Substring(name.LastIndexOf(' ') + 1);
        return Regex.Replace(name, @"\.(get|set|init|add|remove)$", "");
    }

    /// <summary>Returns the same name for an id of the documentation file, such as <c>M:Name.Type`1.#ctor(System.Int32)</c>.</summary>
    private static string NameOfId(string id)
    {
        string name = Regex.Replace(id.Substring(2), @"\(.*$|`+\d+", "");
        name = Regex.Replace(name, @"(?<type>[^.]+)\.#ctor$", "${type}.${type}");
        return Regex.Replace(name, @"\.Item$", ".this");
    }
}
